"""An operator at the admin, in a real browser, with the real pipeline behind it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db import connection
from django.urls import get_resolver
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from billing.invoicing import invoices
from failed_messages.acting.job_control import start
from failed_messages.acting.job_runner import advance_jobs
from failed_messages.models import ReplayJob
from failed_messages.reading.filters import Filter
from inventory.reserving import products
from tests.broker import publish
from tests.journeys.api import Api
from tests.polling import eventually
from tests.processes import Processes
from webhooks import managing

PHONE: ViewportSize = {"width": 390, "height": 844}
#: Beside each model's list and its newest record.
PAGES = (
    "",
    "wall",
    "doctor/",
    "processes/",
    "search?q=nothing",
    "roles/",
    "personal-data/",
    "second-factor/",
    "password_change/",
    "failed_messages/",
    "failed_messages/failedmessage/charts/?by=group",
    "failed_messages/failedmessage/retries/",
    "failed_messages/replayjob/new/?service=billing&status=failed",
    "failed_messages/discardjob/new/?selection=service%3Dbilling%26status%3Dfailed",
    "failed_messages/replaypolicy/add/",
    "webhooks/endpoint/add/",
)


@pytest.fixture(scope="module")
def running(module_processes: Processes) -> Api:
    """The whole pipeline, for all tests of this module."""
    module_processes.start("inventory", "billing", "orders", "relay", "archiver")
    return Api(module_processes.start_web())


@pytest.fixture
def api(clean: None, running: Api) -> Iterator[Api]:
    """The pipeline with the demo products, its fault for user 500, and the development admin."""
    for command in ("load_demo_products", "ensure_admin", "load_demo_faults"):
        call_command(command, verbosity=0)
    yield running
    connection.database["simulated_faults"].delete_many({})


@pytest.fixture
def failed_order(api: Api) -> str:
    """An order that billing gave up."""
    order_id = api.place(500, "book", "pen")
    records = connection.database["failed_messages"]
    eventually(lambda: records.count_documents({"order_id": order_id}))
    return order_id


def log_in(page: Page, api: Api, name: str = "admin") -> None:
    page.goto(f"{api.url}/admin/")
    page.fill("#id_username", name)
    page.fill("#id_password", "admin")
    follow(page, page.get_by_role("button", name="Log in"))


def follow(page: Page, link: Locator) -> None:
    """Click, and wait for the page that it leads to: what comes next is meant for that one."""
    with page.expect_navigation():
        link.click()


def open_index(page: Page) -> None:
    follow(page, page.locator("#site-name a"))


def open_list(page: Page, model: str) -> None:
    """From the index to a model's list, by the row that is that model's alone."""
    follow(page, page.locator(f"#content-main .model-{model} th a"))


def find(page: Page, order_id: str) -> None:
    """From anywhere in the admin to the page of the order's failed message."""
    open_index(page)
    open_list(page, "failedmessage")
    page.fill("#searchbar", order_id)
    follow(page, page.get_by_role("button", name="Search"))
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    follow(page, page.locator("#result_list tbody a").first)


def test_an_operator_finds_fixes_and_replays_a_failed_message(
    page: Page, api: Api, failed_order: str
) -> None:
    """
    Given billing gave up an order of user 500, and another message
    When an operator logs in, searches for the order, and reads why
    And removes the fault, and replays
    Then the failed message says that it is resolved, by whom, and the order is confirmed.
    """
    another_order = api.place(500, "lamp")
    records = connection.database["failed_messages"]
    eventually(lambda: records.count_documents({"order_id": another_order}))
    log_in(page, api)
    open_list(page, "failedmessage")
    expect(page.locator("#result_list tbody tr")).to_have_count(2)

    open_index(page)
    find(page, failed_order)
    told = page.locator("#content-main")
    expect(told).to_contain_text("Billing gave up after 3 attempts")
    expect(told).to_contain_text(f"Order {failed_order} has no invoice; inventory is not affected.")
    expect(told).to_contain_text("Next step")
    expect(told).to_contain_text("billing fails for user 500")
    for attempt in (1, 2, 3):
        expect(told).to_contain_text(f"Attempt {attempt}: ")
    expect(page.locator("#body")).to_contain_text(failed_order)

    remove_the_fault(page)
    find(page, failed_order)
    page.locator("#replay").click()
    expect(page.locator("#content-main")).to_contain_text("1 message: 1 of billing")
    follow(page, page.locator("#confirm"))

    def resolved() -> bool:
        page.reload()
        expect(page.locator(".fm-status").first).to_have_text("Resolved", timeout=500)
        return True

    eventually(resolved)
    expect(page.locator("#content-main")).to_contain_text("replayed by admin, resolved 20")
    api.await_status(failed_order, "confirmed")
    assert api.status(another_order) == "placed"


def test_the_front_page_tells_of_a_failure_by_itself_and_leads_to_its_cause(
    page: Page, api: Api
) -> None:
    log_in(page, api)
    page.goto(f"{api.url}/admin/")
    expect(page.locator(".verdict-word")).to_be_visible()
    expect(page.locator(".concerns")).not_to_contain_text("failed message")

    await_failures(api, 1)

    expect(page.locator(".concerns")).to_contain_text("1 failed message not settled")
    expect(page).to_have_title(re.compile("Degraded"))
    follow(page, page.get_by_role("link", name="Show the cause and its messages"))
    expect(page.locator("h1")).to_contain_text("Simulated fault")


def test_an_operator_replays_a_whole_group_and_watches(page: Page, api: Api) -> None:
    """
    Given billing gave up the orders of user 500, of one cause
    When an operator fixes the cause, and replays the group
    Then the page shows the job's progress, until every order is confirmed.
    """
    orders = await_failures(api, 8)
    log_in(page, api)
    remove_the_fault(page)
    open_index(page)
    open_list(page, "failuregroup")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.locator("#result_list th a").click()
    page.locator("#replay").click()
    expect(page.locator("#preview")).to_contain_text("8 messages to billing only.")
    page.locator("#confirm").click()
    expect(page.locator("#state")).to_have_text("Gathering")

    def done() -> bool:
        advance_jobs()
        return ReplayJob.objects.get().state == "done"

    eventually(done)
    # The page loads itself again.
    expect(page.locator("#state")).to_have_text("Done", timeout=10_000)
    expect(page.locator("h1").last).to_have_text("8 of 8 messages resolved")
    for order in orders:
        api.await_status(order, "confirmed")


def test_an_operator_pauses_a_bulk_replay_and_cancels_it(page: Page, api: Api) -> None:
    """
    Given billing gave up some orders
    When an operator starts a bulk replay from the filtered list, pauses, resumes and cancels it
    Then the page says so each time, and the audit log has every act.
    """
    await_failures(api, 3)
    log_in(page, api)
    page.goto(f"{api.url}/admin/failed_messages/failedmessage/?service=billing&q=simulated")
    page.locator("#bulk").click()
    page.fill("#rate", "1")
    page.fill("#reason", "as a try")
    page.locator("#confirm").click()

    for act, state in (("pause", "Paused"), ("resume", "Gathering"), ("cancel", "Cancelled")):
        follow(page, page.locator(f"#{act}"))
        expect(page.locator("#state")).to_have_text(state)
    expect(page.locator("#pause")).to_be_disabled()
    expect(page.locator("#content-main")).to_contain_text("It is cancelled.")

    open_index(page)
    open_list(page, "auditentry")
    for act in ("bulk replay", "pause", "resume", "cancel"):
        expect(page.locator("#result_list .field-act", has_text=act).first).to_be_visible()
    expect(page.locator("#result_list")).to_contain_text("as a try")


def test_an_operator_edits_a_body_and_replays_the_copy(page: Page, api: Api) -> None:
    """
    Given a message whose body billing cannot take
    When an operator corrects it, checks it, sees the difference, and replays the copy
    Then billing handles it, and the copy and the original name each other.
    """
    wrong = {"orderId": "6743f0000000000000000001", "userId": 101, "items": [{"sku": "book"}]}
    right = {**wrong, "items": [{"sku": "book", "quantity": 1, "unitPrice": "12.50"}]}
    publish(json.dumps(wrong).encode(), exchange="", routing_key="billing", message_id="wrong")
    records = connection.database["failed_messages"]
    eventually(lambda: records.count_documents({}))
    log_in(page, api)
    find(page, str(wrong["orderId"]))
    page.locator("#edit").click()
    page.fill("#reason", "the publisher left out the price")
    page.locator("#check").click()
    expect(page.locator("#error")).to_contain_text("items[0]")
    page.fill("textarea#body", json.dumps(right, indent=2))
    page.locator("#check").click()
    expect(page.locator("#diff")).to_contain_text('+       "unitPrice": "12.50"')
    page.locator("#confirm").click()

    invoices = connection.database["invoices"]
    eventually(lambda: invoices.find_one({"_id": wrong["orderId"]}))
    original = records.find_one({"parent": None})
    assert original is not None
    page.get_by_role("link", name=str(original["_id"])).first.click()
    expect(page.locator(".fm-status").first).to_have_text("Discarded")
    expect(page.locator("#countdown")).to_contain_text("kept for ever")
    expect(page.locator("#content-main")).to_contain_text("Edited as")
    # The order is not ours, and `orders` is told of its invoice.
    eventually(lambda: records.count_documents({"service": "orders"}))


def test_an_operator_notes_what_is_known_of_a_group(
    page: Page, api: Api, failed_order: str
) -> None:
    log_in(page, api)
    open_list(page, "failuregroup")
    page.locator("#result_list th a").click()
    page.select_option("#status", "fixed")
    page.fill("#owner", "billing team")
    page.fill("#note", "Fails for user 500 alone")
    page.locator("#save").click()
    expect(page.locator(".errornote")).to_contain_text("fixed")
    page.fill("#fixed_in", "9.0.0")
    page.locator("#save").click()

    expect(page.locator("#content-main")).to_contain_text("Fixed in 9.0.0")
    expect(page.locator("#audit")).to_contain_text("admin")
    page.get_by_role("link", name="Failure groups", exact=True).first.click()
    expect(page.locator("#result_list")).to_contain_text("Fails for user 500 alone")


def test_a_selection_is_discarded_and_one_restored(page: Page, api: Api) -> None:
    await_failures(api, 2)
    log_in(page, api)
    open_list(page, "failedmessage")
    page.locator("#action-toggle").check()
    page.select_option("select[name=action]", "discard_selected")
    page.get_by_role("button", name="Go").click()
    expect(page.locator("#content-main")).to_contain_text("2 messages: 2 of billing")
    page.fill("#reason", "A rehearsal")
    page.locator("#confirm").click()
    expect(page.locator(".nothing")).to_have_text("No message is failed now.")
    page.locator("#changelist-filter").get_by_role("link", name="Discarded", exact=True).click()
    expect(page.locator("#result_list .fm-discarded")).to_have_count(2)

    page.locator("#result_list tbody a").first.click()
    expect(page.locator("#countdown")).to_contain_text("Deleted in 90 days")
    page.locator("#restore").click()
    page.locator("#confirm").click()
    expect(page.locator(".fm-status").first).to_have_text("Failed")


def test_a_policy_is_set_and_ended(page: Page, api: Api) -> None:
    log_in(page, api)
    open_list(page, "replaypolicy")
    page.locator(".object-tools").get_by_role("link", name="Add replay policy").click()
    page.select_option("#id_service", "billing")
    page.select_option("#id_reason", "attempts_used_up")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#result_list")).to_contain_text("15 min, 60 min, 360 min")

    page.locator("#action-toggle").check()
    page.select_option("select[name=action]", "end_selected")
    page.get_by_role("button", name="Go").click()
    expect(page.locator(".messagelist")).to_contain_text("The policy of service billing is off.")


def test_who_may_only_view_sees_why(page: Page, api: Api, failed_order: str) -> None:
    create_viewer()
    log_in(page, api, "viewer")
    find(page, failed_order)

    for button in ("replay", "discard", "edit"):
        expect(page.locator(f"#{button}")).to_be_disabled()
        expect(page.locator("#content-main")).to_contain_text(
            f"You lack the permission failed_messages.{button}_failedmessage."
        )


def test_the_charts_show_what_failed(page: Page, api: Api, failed_order: str) -> None:
    log_in(page, api)
    open_list(page, "failedmessage")
    page.locator("#charts").click()
    expect(page.locator("#legend")).to_contain_text("billing")
    page.get_by_role("link", name="group", exact=True).click()
    expect(page.locator("#legend")).to_contain_text("SimulatedFailure")
    expect(page.locator(".fm-chart rect")).to_have_count(1)


def await_failures(api: Api, count: int) -> list[str]:
    """So many orders that billing gave up."""
    orders = [api.place(500, "lamp") for _ in range(count)]
    records = connection.database["failed_messages"]
    eventually(lambda: records.count_documents({}) == count)
    return orders


def create_viewer() -> None:
    """A staff member who may view, and no more."""
    viewer = User.objects.create_user("viewer", password="admin", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_failedmessage"))


def remove_the_fault(page: Page) -> None:
    open_index(page)
    open_list(page, "simulatedfault")
    follow(page, page.locator("#result_list tbody a").first)
    follow(page, page.get_by_role("link", name="Delete"))
    follow(page, page.get_by_role("button", name="Yes, I\N{RIGHT SINGLE QUOTATION MARK}m sure"))
    expect(page.locator(".messagelist")).to_contain_text("deleted successfully")


def test_a_discard_asks_for_a_reason(page: Page, api: Api, failed_order: str) -> None:
    log_in(page, api)
    find(page, failed_order)

    page.locator("#discard").click()
    page.locator("#confirm").click()
    # The browser itself points at the empty field, and sends nothing.
    assert page.evaluate("document.querySelector('#reason:invalid') !== null")
    page.fill("#reason", "An order of the demonstration")
    page.locator("#confirm").click()

    expect(page.locator(".fm-status").first).to_have_text("Discarded")
    expect(page.locator("#content-main")).to_contain_text("An order of the demonstration")
    assert api.status(failed_order) == "placed"


@pytest.mark.parametrize("colour_scheme", ["light", "dark"])
def test_every_page_fits_a_phone(
    chromium: Browser, api: Api, failed_order: str, colour_scheme: str
) -> None:
    api.place(101, {"sku": "typewriter", "quantity": 3}, "headphones")
    start(Filter(service="billing"), "admin", "the fault is removed")
    context = chromium.new_context(viewport=PHONE, color_scheme=colour_scheme)
    page = context.new_page()
    log_in(page, api)
    too_wide = []
    try:
        for path in PAGES:
            too_wide += sticking_out(page, f"{api.url}/admin/{path}")
        for path in lists():
            too_wide += sticking_out(page, f"{api.url}/admin/{path}/")
            if (newest := page.locator("#result_list tbody a")).count():
                too_wide += sticking_out(page, f"{api.url}{newest.first.get_attribute('href')}")
        assert too_wide == []
        for button in ("discard", "replay", "edit"):
            find(page, failed_order)
            page.locator(f"#{button}").click()
            expect(page.locator(".cancel-link")).to_be_visible()
            assert_fits(page)
    finally:
        context.close()


LONG = "x" * 300


def test_long_texts_without_a_blank_fit_a_phone(
    chromium: Browser, api: Api, failed_order: str
) -> None:
    """An error, what is searched for and a URL may be one long word."""
    database = connection.database
    database["failed_messages"].update_one({"order_id": failed_order}, {"$set": {"message": LONG}})
    reserved = {"_id": failed_order, "state": "reserved"}
    eventually(lambda: database["reservations"].find_one(reserved))
    products().insert_one({"sku": LONG[:64], "name": LONG, "available": 1, "reserved": 0})
    invoices().insert_one({"_id": LONG[:64], "number": "2026-000099", "state": "issued"})
    managing.create(
        f"https://x.example.com/{LONG}", ["order.placed"], user_id=None, description="", by="a test"
    )
    context = chromium.new_context(viewport=PHONE)
    page = context.new_page()
    log_in(page, api)
    try:
        too_wide = sticking_out(page, f"{api.url}/admin/search?q={LONG[:64]}")
        too_wide += sticking_out(page, f"{api.url}/admin/search?q={LONG[:-1]}y")
        for model, action, says in (
            ("inventory/reservation", "ship_selected", "should not be shipped yet"),
            ("webhooks/endpoint", "send_again", "is sent again, the oldest first"),
        ):
            page.goto(f"{api.url}/admin/{model}/")
            page.locator("#result_list .action-select").first.check()
            page.select_option("select[name=action]", action)
            follow(page, page.get_by_role("button", name="Go"))
            expect(page.locator("#content-main")).to_contain_text(says)
            expect(page.locator("#content-main")).to_contain_text(LONG[:100])
            too_wide += too_wide_here(page)
        assert too_wide == []
    finally:
        context.close()


def lists() -> list[str]:
    """Every list of the admin."""
    assert get_resolver().url_patterns, "they are known once the site's addresses are"
    models = [model._meta for model in site._registry]
    return sorted(f"{each.app_label}/{each.model_name}" for each in models)


def sticking_out(page: Page, address: str) -> list[str]:
    """The page, if a part of it is wider than the screen; a wide table scrolls within itself."""
    opened = page.goto(address)
    assert opened is not None
    assert opened.ok, address
    return too_wide_here(page)


def too_wide_here(page: Page) -> list[str]:
    """The open page, if a part of it is wider than the screen."""
    try:
        assert_fits(page)
    except AssertionError as error:
        return [str(error)]
    return []


def assert_fits(page: Page) -> None:
    """Nothing sticks out: a wide table scrolls within itself."""
    needed, given = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert needed <= given, f"{page.url} needs {needed} of {given} pixels"


def test_empty_lists_say_so(page: Page, api: Api) -> None:
    log_in(page, api)

    page.goto(f"{api.url}/admin/failed_messages/failedmessage/")
    expect(page.locator(".nothing")).to_have_text("No message is failed now.")
    page.goto(f"{api.url}/admin/orders/order/?q=000000000000000000000000")
    expect(page.locator(".nothing")).to_have_text("Nothing matches this search and these filters.")
