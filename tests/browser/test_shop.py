"""A newcomer at the start page, in a real browser, with the real pipeline behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection
from playwright.sync_api import Page, Route, ViewportSize, expect

from tests.browser.test_operators_desk import follow, remove_the_fault
from tests.inventory.catalogue import stocked
from tests.journeys.api import Api
from tests.processes import Processes

PHONE: ViewportSize = {"width": 390, "height": 844}
IN_TIME_MILLISECONDS = 60_000


@pytest.fixture(scope="module")
def running(module_processes: Processes) -> Api:
    """The whole pipeline, for all tests of this module."""
    module_processes.start("inventory", "billing", "orders", "relay", "archiver")
    return Api(module_processes.start_web())


@pytest.fixture
def shop(clean: None, running: Api, page: Page) -> Iterator[Page]:
    """The start page, with the demo products, the development admin and the fault for user 500.

    The products are shown: they come after the page.
    """
    for command in ("load_demo_products", "ensure_admin", "load_demo_faults"):
        call_command(command, verbosity=0)
    page.goto(running.url)
    expect(page.get_by_label("Hardcover notebook")).to_be_visible()
    yield page
    connection.database["simulated_faults"].delete_many({})


def test_an_order_is_placed_and_followed_to_its_end(shop: Page) -> None:
    """
    Given the shop, with a book and two pens chosen
    When the order is placed
    Then its timeline comes by itself, until it is confirmed, and nothing is said to be wrong.
    """
    expect(shop.get_by_label("Hardcover notebook")).to_have_value("1")
    shop.get_by_role("button", name="Place the order").click()

    title = shop.locator("#order-title")
    expect(title).to_contain_text("is confirmed", timeout=IN_TIME_MILLISECONDS)
    expect(shop.locator("#services")).to_contain_text("billing: invoiced")
    expect(shop.locator("#services")).to_contain_text("inventory: reserved")
    written = re.compile(r" \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
    expect(shop.locator("#steps li").last).to_contain_text(written)
    expect(shop.locator("#said")).to_be_hidden()
    expect(shop.locator("#desk")).to_be_hidden()


def test_products_beyond_the_first_page_can_be_had(shop: Page) -> None:
    """
    Given a catalogue of more products than one page has, and a book that is chosen
    When more are asked for, and one of them is chosen
    Then both are ordered.
    """
    stocked(**{f"thing{number:03}": 9 for number in range(60)})
    shop.reload()
    expect(shop.locator("#products input")).to_have_count(50)
    shop.get_by_label("Hardcover notebook").fill("3")

    shop.get_by_role("button", name="More products").click()

    expect(shop.get_by_role("button", name="More products")).to_be_hidden()
    expect(shop.get_by_label("Hardcover notebook")).to_have_value("3")
    shop.locator("input[name=thing059]").fill("2")
    with shop.expect_request("**/orders") as sent:
        shop.get_by_role("button", name="Place the order").click()
    units = {each["sku"]: each["quantity"] for each in sent.value.post_data_json["items"]}
    assert (units["book"], units["thing059"]) == (3, 2)
    expect(shop.locator("#order-title")).to_contain_text("Order")


def test_a_failure_is_seen_and_leads_to_the_desk_where_it_is_fixed(shop: Page) -> None:
    """
    Given an order that billing gave up
    When the shop's link is opened beside it, the fault removed and the message replayed
    Then the shop says by itself that the order is confirmed.
    """
    shop.get_by_label("Who orders").select_option("500")
    shop.get_by_role("button", name="Place the order").click()

    desk = shop.locator("#desk")
    expect(desk).to_be_visible(timeout=IN_TIME_MILLISECONDS)
    expect(shop.locator("#services")).to_contain_text("billing: waits for an operator")
    with shop.context.expect_page() as opened:
        desk.locator("a").click(modifiers=["ControlOrMeta"])
    operator = opened.value
    operator.fill("#id_username", "admin")
    operator.fill("#id_password", "admin")
    follow(operator, operator.get_by_role("button", name="Log in"))
    expect(operator.locator("#content-main")).to_contain_text("billing fails for user 500")
    failed_message = operator.url

    remove_the_fault(operator)
    operator.goto(failed_message)
    follow(operator, operator.locator("#replay"))
    follow(operator, operator.locator("#confirm"))

    title = shop.locator("#order-title")
    expect(title).to_contain_text("is confirmed", timeout=IN_TIME_MILLISECONDS)
    expect(desk).to_be_hidden()


def test_what_runs_is_seen_and_what_is_missing_with_the_next_step(shop: Page) -> None:
    running = shop.locator("#running")

    expect(running.locator(".done", has_text="worker billing")).to_be_visible()
    missing = running.locator(".failed", has_text="scheduler")
    expect(missing.locator("code")).to_contain_text("manage.py scheduler")


def test_what_is_refused_is_told(shop: Page) -> None:
    for quantity in shop.locator("#products input").all():
        quantity.fill("0")
    shop.get_by_role("button", name="Place the order").click()

    expect(shop.locator("#said")).to_contain_text("items")
    expect(shop.locator("#order")).to_be_hidden()


def test_a_click_after_an_answer_that_was_lost_places_no_second_order(shop: Page) -> None:
    """
    Given an order that was placed, and whose answer never came
    When the button is clicked once more, and then again
    Then the first click shows that order, and the second one is another order.
    """
    button, title = shop.get_by_role("button", name="Place the order"), shop.locator("#order-title")

    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    shop.route("**/orders", lose_the_answer)
    button.click()
    expect(shop.locator("#said")).to_contain_text("does not answer")
    shop.unroute("**/orders")
    assert connection.database["orders"].count_documents({}) == 1

    button.click()
    expect(title).to_contain_text("Order")
    assert connection.database["orders"].count_documents({}) == 1
    with shop.expect_response("**/orders"):
        button.click()
    assert connection.database["orders"].count_documents({}) == 2


def test_nothing_is_wider_than_a_phone(shop: Page) -> None:
    shop.set_viewport_size(PHONE)
    shop.get_by_role("button", name="Place the order").click()
    expect(shop.locator("#steps")).not_to_be_empty(timeout=IN_TIME_MILLISECONDS)

    assert shop.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
