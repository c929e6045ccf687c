"""An operator at the admin, in a real browser, with the real pipeline behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection
from playwright.sync_api import Browser, Page, ViewportSize, expect

from failed_messages.job_runner import advance_jobs
from failed_messages.models import ReplayJob
from tests.journeys.api import Api
from tests.polling import eventually
from tests.processes import Processes

PHONE: ViewportSize = {"width": 390, "height": 844}
LISTS = (
    "failed_messages/failedmessage",
    "failed_messages/failuregroup",
    "orders/order",
    "inventory/product",
    "inventory/reservation",
    "billing/invoice",
    "simulated_faults/simulatedfault",
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
    eventually(lambda: records.count_documents({"order_id": order_id}), within_seconds=20)
    return order_id


def log_in(page: Page, api: Api) -> None:
    page.goto(f"{api.url}/admin/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", "admin")
    page.get_by_role("button", name="Log in").click()


def find(page: Page, order_id: str) -> None:
    """From anywhere in the admin to the page of the order's failed message."""
    page.locator("#site-name a").click()
    page.get_by_role("link", name="Failed messages", exact=True).last.click()
    page.fill("#searchbar", order_id)
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.locator("#result_list tbody a").first.click()


def test_an_operator_finds_mends_and_replays_a_failed_message(
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
    eventually(lambda: records.count_documents({"order_id": another_order}), within_seconds=20)
    log_in(page, api)
    page.get_by_role("link", name="Failed messages", exact=True).last.click()
    expect(page.locator("#result_list tbody tr")).to_have_count(2)

    page.locator("#site-name a").click()
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
    page.locator("#confirm").click()

    def resolved() -> bool:
        page.reload()
        expect(page.locator(".fm-status").first).to_have_text("Resolved", timeout=500)
        return True

    eventually(resolved, within_seconds=15)
    expect(page.locator("#content-main")).to_contain_text("replayed by admin, resolved 20")
    api.await_status(failed_order, "confirmed")
    assert api.status(another_order) == "placed"


def test_an_operator_replays_a_whole_group_and_watches(page: Page, api: Api) -> None:
    """
    Given billing gave up the orders of user 500, of one cause
    When an operator mends the cause, and replays the group
    Then the page shows the job's progress, until every order is confirmed.
    """
    orders = [api.place(500, "lamp") for _ in range(8)]
    records = connection.database["failed_messages"]
    eventually(lambda: records.count_documents({}) == len(orders), within_seconds=30)
    log_in(page, api)
    remove_the_fault(page)
    page.locator("#site-name a").click()
    page.get_by_role("link", name="Failure groups", exact=True).last.click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.locator("#result_list th a").click()
    page.locator("#replay").click()
    expect(page.locator("#preview")).to_contain_text("8 messages to billing only.")
    page.locator("#confirm").click()
    expect(page.locator("#state")).to_have_text("Gathering")

    def done() -> bool:
        advance_jobs()
        return ReplayJob.objects.get().state == "done"

    eventually(done, within_seconds=30)
    # The page loads itself again.
    expect(page.locator("#state")).to_have_text("Done", timeout=10_000)
    expect(page.locator("h1").last).to_have_text("8 of 8 messages resolved")
    for order in orders:
        api.await_status(order, "confirmed")


def remove_the_fault(page: Page) -> None:
    page.locator("#site-name a").click()
    page.get_by_role("link", name="Simulated faults", exact=True).last.click()
    page.locator("#result_list tbody a").first.click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Yes, I\N{RIGHT SINGLE QUOTATION MARK}m sure").click()
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
    context = chromium.new_context(viewport=PHONE, color_scheme=colour_scheme)
    page = context.new_page()
    log_in(page, api)
    try:
        for path in LISTS:
            page.goto(f"{api.url}/admin/{path}/")
            assert_fits(page)
            newest = page.locator("#result_list tbody a").first.get_attribute("href")
            page.goto(f"{api.url}{newest}")
            assert_fits(page)
        find(page, failed_order)
        page.locator("#discard").click()
        expect(page.locator("#confirm")).to_be_visible()
        assert_fits(page)
    finally:
        context.close()


def assert_fits(page: Page) -> None:
    """Nothing sticks out: a wide table scrolls within itself."""
    needed, given = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert needed <= given, f"{page.url} needs {needed} of {given} pixels"


def test_empty_lists_say_so(page: Page, api: Api) -> None:
    log_in(page, api)

    page.goto(f"{api.url}/admin/failed_messages/failedmessage/")
    expect(page.locator(".nothing")).to_have_text("There are no failed messages yet.")
    page.goto(f"{api.url}/admin/orders/order/?q=000000000000000000000000")
    expect(page.locator(".nothing")).to_have_text("Nothing matches this search and these filters.")
