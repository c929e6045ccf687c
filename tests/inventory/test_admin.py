"""What an operator sees and may change of inventory in the admin."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from bson import Decimal128
from django.contrib.auth.models import Permission, User
from django.test import Client

from inventory.models import Product
from inventory.recounting import recount
from inventory.reserving import products, reservations, reserve
from runtime.money.price import price_of
from tests.browser_form import BrowserForm
from tests.inventory.catalogue import order, stock, stocked

PRODUCTS = "/admin/inventory/product/"
RESERVATIONS = "/admin/inventory/reservation/"

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture
def operator() -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("operator", password="x"))
    return client


def test_a_product_is_added_with_its_stock(operator: Client) -> None:
    operator.post(
        "/admin/inventory/product/add/",
        {"sku": "globe", "name": "Globe", "price": "54.00", "available": "5"},
    )

    product = Product.objects.get(sku="globe")
    assert (product.available, product.reserved) == (5, 0)
    assert (product.price, product.currency) == (Decimal("54.00"), "EUR")
    assert recount().differences == []


@pytest.mark.parametrize(
    "field", [{"sku": "a b"}, {"sku": "pen"}, {"price": "-1"}, {"available": "-1"}]
)
def test_a_product_that_makes_no_sense_is_refused(operator: Client, field: dict[str, str]) -> None:
    stocked(pen=1)

    answer = operator.post(
        "/admin/inventory/product/add/",
        {"sku": "globe", "name": "Globe", "price": "54.00", "available": "5"} | field,
    )

    assert "Please correct the error below" in answer.content.decode()
    assert products().count_documents({}) == 1


@pytest.mark.parametrize(
    "price",
    [
        *("-0", "-0.00", "NaN", "sNaN", "Infinity", "1e3", "1E-1", "9.999", "1_000", "1,50"),
        *("+1", "\N{ARABIC-INDIC DIGIT ONE}", "1234567890", "0x1", "9" * 5_000, "", " "),
    ],
    ids=lambda price: price[:12],
)
def test_a_price_that_cannot_be_charged_is_refused(operator: Client, price: str) -> None:
    stocked(pen=1)
    globe = {"sku": "globe", "name": "Globe", "price": price, "available": "5"}
    added = operator.post("/admin/inventory/product/add/", globe)
    changed = operator.post(page_of(operator, "pen"), {"name": "Pen", "price": price})

    for answer in (added, changed):
        assert "Please correct the error below" in answer.content.decode()
    assert products().count_documents({}) == 1
    assert str(products().find_one({"sku": "pen"})["price"]) == "1.50"


@pytest.mark.parametrize(
    ("price", "read"), [("0", "0.00"), ("0.00", "0.00"), (" 9.5 ", "9.50"), ("999999999.99",) * 2]
)
def test_a_price_that_can_is_taken(operator: Client, price: str, read: str) -> None:
    globe = {"sku": "globe", "name": "Globe", "price": price, "available": "5"}
    operator.post("/admin/inventory/product/add/", globe)

    assert str(price_of(products().find_one({"sku": "globe"})).amount) == read


def test_a_product_is_sold_in_a_currency_of_its_own(operator: Client) -> None:
    globe = {"sku": "globe", "name": "Globe", "price": "1250", "available": "5", "currency": "JPY"}
    operator.post("/admin/inventory/product/add/", globe)

    assert price_of(products().find_one({"sku": "globe"})) == (Decimal(1250), "JPY")
    assert "1,250 JPY" in operator.get("/admin/inventory/product/").content.decode()


@pytest.mark.parametrize(
    ("price", "currency", "told"),
    [
        (
            "1.50",
            "JPY",
            "It must have no more decimals than JPY, which has none: type it like 995.",
        ),
        (
            "1.2345",
            "KWD",
            "It must have no more decimals than KWD, which has 3: type it like 9.950.",
        ),
        ("1.234", "", "It must have no more decimals than EUR, which has 2: type it like 9.95."),
        ("1.50", "ABC", "The currency must be the code of a currency"),
        ("1.50", "XAU", "The currency must be the code of a currency"),
    ],
)
def test_a_price_that_its_currency_cannot_hold_is_refused(
    operator: Client, price: str, currency: str, told: str
) -> None:
    stocked(pen=1)
    typed = {"name": "Pen", "price": price, "currency": currency}
    added = operator.post(
        "/admin/inventory/product/add/", {**typed, "sku": "globe", "available": "5"}
    )
    form = BrowserForm(operator.get(page_of(operator, "pen")).content.decode(), "product_form")
    changed = operator.post(page_of(operator, "pen"), form.sent(**typed))

    for answer in (added, changed):
        assert told in answer.content.decode()
    assert price_of(products().find_one({"sku": "pen"})) == (Decimal("1.50"), "EUR")
    assert products().count_documents({}) == 1


def test_amount_and_currency_change_together_or_the_amount_stays_wrong(operator: Client) -> None:
    stocked(pen=1)
    form = BrowserForm(operator.get(page_of(operator, "pen")).content.decode(), "product_form")

    alone = operator.post(page_of(operator, "pen"), form.sent(currency="JPY"))
    operator.post(page_of(operator, "pen"), form.sent(currency="JPY", price="150"))

    assert "no more decimals than JPY" in alone.content.decode()
    assert price_of(products().find_one({"sku": "pen"})) == (Decimal(150), "JPY")


def test_a_price_meets_the_currency_that_another_user_has_just_set(operator: Client) -> None:
    stocked(pen=1)
    form = BrowserForm(operator.get(page_of(operator, "pen")).content.decode(), "product_form")
    change = {"price": Decimal128("150"), "currency": "JPY"}
    products().update_one({"sku": "pen"}, {"$set": change})

    answer = operator.post(page_of(operator, "pen"), form.sent(price="1.75"))

    assert "no more decimals than JPY" in answer.content.decode()
    assert price_of(products().find_one({"sku": "pen"})) == (Decimal(150), "JPY")


def test_editing_a_product_leaves_its_stock_and_sku_alone(operator: Client) -> None:
    stocked(pen=10)
    reserve(order("o1", pen=3))
    pen = Product.objects.get(sku="pen")

    operator.post(
        f"/admin/inventory/product/{pen.pk}/change/",
        {"sku": "pencil", "name": "Better pen", "price": "2.00", "available": "99"},
    )

    assert Product.objects.get(sku="pen").name == "Better pen"
    assert products().find_one({"sku": "pen"})["price"].to_decimal() == 2
    assert stock("pen") == (7, 3)


def page_of(client: Client, sku: str) -> str:
    return f"/admin/inventory/product/{Product.objects.get(sku=sku).pk}/change/"


def test_a_product_is_restocked_once_however_often_its_form_is_sent(operator: Client) -> None:
    stocked(pen=10)
    address = page_of(operator, "pen")
    delivery = re.search(r'name="delivery" value="(.+?)"', operator.get(address).content.decode())
    assert delivery, "the form says which delivery it is"
    sent = {"name": "Pen", "price": "1.50", "restock": "5", "delivery": delivery[1]}

    said = operator.post(address, sent, follow=True).content.decode()
    operator.post(address, sent)

    assert "of pen 15 units are available now" in said
    assert stock("pen") == (15, 0)
    latest = operator.get(address).content.decode()
    assert "<td>pen</td><td>restock</td><td>+5</td><td></td><td></td><td>operator</td>" in latest


def clerk(*permissions: str) -> Client:
    user = User.objects.create_user("clerk", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


@pytest.mark.parametrize("seen", [(), ("view_product",)], ids=["restock alone", "view, restock"])
def test_who_may_restock_only_has_a_field_for_it_and_no_other(seen: tuple[str, ...]) -> None:
    stocked(pen=10)
    client = clerk("restock_product", *seen)
    address = page_of(client, "pen")

    assert address in client.get("/admin/inventory/product/").content.decode()
    form = BrowserForm(client.get(address).content.decode(), "product_form")
    assert set(form.fields) == {"csrfmiddlewaretoken", "restock", "delivery"}
    said = client.post(
        address, form.sent(restock="5", name="Mine", price="0.01", available="7"), follow=True
    ).content.decode()

    assert "of pen 15 units are available now" in said
    assert (Product.objects.get().name, str(Product.objects.get().price)) == ("Pen", "1.50")
    assert client.get("/admin/inventory/product/add/").status_code == 403


def test_a_form_that_is_sent_twice_says_that_it_was_booked_before(operator: Client) -> None:
    stocked(pen=10)
    form = BrowserForm(operator.get(page_of(operator, "pen")).content.decode(), "product_form")

    operator.post(page_of(operator, "pen"), form.sent(restock="5"))
    said = operator.post(page_of(operator, "pen"), form.sent(restock="5"), follow=True)
    other = operator.post(page_of(operator, "pen"), form.sent(restock="6"), follow=True)

    assert "Not restocked again: operator sent this form before, at 20" in said.content.decode()
    assert "This form has restocked 5 units before" in other.content.decode()
    assert stock("pen") == (15, 0)


@pytest.mark.parametrize(
    "units", ["0", "-5", "1.5", "1.000", "1.0", "+1", "1_0", "10000001", str(2**63), "1e3", "x"]
)
def test_units_that_make_no_sense_are_refused_with_a_word(operator: Client, units: str) -> None:
    stocked(pen=10)

    answer = operator.post(
        page_of(operator, "pen"), {"name": "Pen", "price": "1.50", "restock": units}
    )

    assert "Please correct the error below" in answer.content.decode()
    assert stock("pen") == (10, 0)


@pytest.mark.parametrize("units", ["1.000", "5.0", "1_0", "+5"])
def test_an_opening_stock_in_other_words_is_refused(operator: Client, units: str) -> None:
    """In German `1.000` is a thousand, and would be one unit."""
    answer = operator.post(
        "/admin/inventory/product/add/",
        {"sku": "globe", "name": "Globe", "price": "54.00", "available": units},
    )

    assert "Please correct the error below" in answer.content.decode()
    assert products().count_documents({}) == 0


def test_more_units_than_can_be_counted_are_refused_with_a_word(operator: Client) -> None:
    stocked(pen=2**63 - 10)

    said = operator.post(
        page_of(operator, "pen"), {"name": "Pen", "price": "1.50", "restock": "10"}, follow=True
    ).content.decode()

    assert "are the most that can be counted" in said
    assert "Restock by at most 9" in said
    assert stock("pen") == (2**63 - 10, 0)


def test_a_second_click_on_ship_says_who_shipped_it_and_when(operator: Client) -> None:
    stocked(pen=1)
    reserve(order("o1", pen=1))
    click = {"action": "ship_selected", "_selected_action": ["o1"]}

    first = operator.post(RESERVATIONS, click, follow=True).content.decode()
    second = operator.post(RESERVATIONS, click, follow=True).content.decode()

    assert "Shipped: 1." in first
    assert "Shipped: " not in second
    assert re.search(r"Order o1 was shipped already, at 20[-0-9: ]+ UTC by operator", second)
    assert Product.objects.get(sku="pen").shipped == 1


def test_restocking_and_shipping_need_their_permissions(operator: Client) -> None:
    stocked(pen=10)
    reserve(order("o1", pen=1))
    client = clerk("view_product", "change_product", "view_reservation")
    address = page_of(client, "pen")

    assert "Restock by" not in client.get(address).content.decode()
    client.post(address, {"name": "Pen", "price": "1.50", "restock": "5", "delivery": "d"})
    client.post(RESERVATIONS, {"action": "ship_selected", "_selected_action": ["o1"]})

    assert stock("pen") == (9, 1)


def test_reservations_are_shipped_and_the_others_say_why_not(operator: Client) -> None:
    stocked(pen=1)
    reserve(order("o1", pen=1))
    reserve(order("o2", pen=1))

    said = operator.post(
        RESERVATIONS,
        {"action": "ship_selected", "_selected_action": ["o1", "o2"]},
        follow=True,
    ).content.decode()

    assert "Shipped: 1." in said
    assert "is rejected, so it has no stock to ship" in said
    assert Product.objects.get(sku="pen").shipped == 1
    moved = operator.get(f"{RESERVATIONS}o1/change/").content.decode()
    assert "<td>ship</td><td></td><td>-1</td><td>+1</td><td>o1</td>" in moved
    of_product = operator.get(f"{PRODUCTS}{Product.objects.get(sku='pen').pk}/change/")
    for page in (moved, of_product.content.decode()):
        [address] = re.findall(r'<a href="(/admin/inventory/movement/ship[^"]+)">20', page)
        assert "ship" in operator.get(address).content.decode()


def test_stock_that_is_elsewhere_ships_the_others(operator: Client) -> None:
    """As where a program took units away that a reservation holds."""
    stocked(pen=1, book=1)
    reserve(order("o1", pen=1))
    reserve(order("o2", book=1))
    products().update_one({"sku": "pen"}, {"$set": {"reserved": 0}})

    said = operator.post(
        RESERVATIONS,
        {"action": "ship_selected", "_selected_action": ["o1", "o2"]},
        follow=True,
    ).content.decode()

    assert "Shipped: 1." in said
    assert "The stock of order o1 is not where its reservation says" in said
    assert Product.objects.get(sku="book").shipped == 1


def test_movements_are_found_by_sku_and_cannot_be_changed(operator: Client) -> None:
    stocked(pen=1, book=1)

    page = operator.get("/admin/inventory/movement/?q=pen").content.decode()

    assert ("pen" in page, "book" in page) == (True, False)
    link = f'<a href="/admin/inventory/product/{Product.objects.get(sku="pen").pk}/change/">pen</a>'
    assert link in page
    of_one = operator.get("/admin/inventory/movement/opening_3A_3Apen/change/", follow=True)
    assert link in of_one.content.decode()
    assert operator.post("/admin/inventory/movement/opening::pen/delete/").status_code == 403


def test_reservations_are_found_by_order_user_and_state(operator: Client) -> None:
    stocked(pen=1)
    reserve(order("o1", pen=1))
    reserve(order("o2", pen=1))
    reservations().update_one({"_id": "o2"}, {"$set": {"user_id": 202}})

    def shown(query: str) -> tuple[bool, bool]:
        page = operator.get(f"/admin/inventory/reservation/?{query}").content.decode()
        return "/o1/change/" in page, "/o2/change/" in page

    assert shown("") == (True, True)
    assert shown("q=o1") == (True, False)
    assert shown("q=202") == (False, True)
    assert shown("state__exact=rejected") == (False, True)
    assert shown(f"q={2**70}") == (False, False)
    assert shown("q=%24gt") == (False, False)


def test_a_reservation_shows_its_lines_and_cannot_be_changed(operator: Client) -> None:
    stocked(pen=1)
    reserve(order("o1", pen=2))

    page = operator.get("/admin/inventory/reservation/o1/change/").content.decode()
    pen = f'<a href="{PRODUCTS}{Product.objects.get(sku="pen").pk}/change/">pen</a>'
    listed = operator.get(RESERVATIONS).content.decode()
    for told in (page, listed):
        assert f"2 x {pen}" in told
        assert f"{pen} (2 asked, 1 available)" in told
    assert 'name="_save"' not in page
    assert operator.post("/admin/inventory/reservation/o1/delete/").status_code == 403
    assert operator.get("/admin/inventory/reservation/add/").status_code == 403


def test_a_sku_from_outside_is_shown_as_text(operator: Client) -> None:
    script = "<script>alert(1)</script>"
    products().insert_one({"sku": script, "available": 5, "reserved": 0})
    reserve(order("o1", **{script: 1}))

    for url in ("", "o1/change/"):
        page = operator.get(f"/admin/inventory/reservation/{url}").content.decode()
        assert script not in page
        assert "&lt;script&gt;alert(1)" in page


def test_a_long_list_begins_with_its_newest_page(operator: Client) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    reservations().insert_many(
        {
            "_id": f"o{n}",
            "user_id": n,
            "state": "reserved",
            "items": [],
            "shortages": [],
            "created_at": start + timedelta(seconds=n),
        }
        for n in range(2_000)
    )

    page = operator.get("/admin/inventory/reservation/").content.decode()

    assert "/o1999/change/" in page
    assert "/o1899/change/" not in page
