"""The catalogue over HTTP: what is read, added, changed and withdrawn."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Decimal128
from django.test import Client, override_settings

from inventory.recounting import recount
from inventory.stock import products
from ordersite.access import keys
from tests.inventory.catalogue import stocked

pytestmark = pytest.mark.usefixtures("db")

GLOBE = {"sku": "globe", "name": "Globe, 30 cm", "price": "54.00", "available": 5}

Ask = Callable[..., Any]


def asking(*scopes: str, user_id: int | None = None) -> Ask:
    """Sends requests with a key that has these scopes."""
    made = keys.create("a shop", list(scopes), by="test", user_id=user_id)
    client = Client(headers={"host": "localhost", "authorization": f"Bearer {made.secret}"})

    def ask(method: str, path: str, body: Any = None, **headers: str) -> Any:
        data = "" if body is None else json.dumps(body)
        return client.generic(method, path, data, "application/json", headers=headers)

    return ask


@pytest.fixture
def customer() -> Ask:
    return asking("catalogue:read", user_id=101)


@pytest.fixture
def staff() -> Ask:
    return asking("catalogue:read", "catalogue:write")


def named(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [each["sku"] for each in response.json()["products"]]


def test_a_shop_reads_what_it_can_sell(customer: Ask) -> None:
    stocked(pen=3)

    pen = {"sku": "pen", "name": "Pen", "price": "1.50", "currency": "EUR", "available": 3}
    assert customer("GET", "/products").json() == {"products": [pen], "next": None}
    assert customer("GET", "/products/pen").json() == pen


@pytest.mark.parametrize("sku", ["bok", "PEN", "%00", "a" * 3000, "$gt"])
def test_what_is_not_there_is_not_found(customer: Ask, sku: str) -> None:
    stocked(pen=3)

    answer = customer("GET", f"/products/{sku}")

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_the_pages_have_each_product_once(customer: Ask) -> None:
    stocked(**{f"p{number}": 1 for number in range(5)})

    seen, address = [], "/products?limit=2&q=P"
    while address:
        answer = customer("GET", address)
        seen.append(named(answer))
        address = answer.json()["next"]

    assert seen == [["p0", "p1"], ["p2", "p3"], ["p4"]]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("usb", ["cable", "charger"]),
        ("CABLE", ["cable"]),
        ("2%20usb", ["cable"]),
        ("usb%20lamp", []),
        (".*", []),
        ("", ["cable", "charger"]),
    ],
)
def test_a_search_finds_every_word_in_name_or_sku(
    customer: Ask, words: str, found: list[str]
) -> None:
    stocked(cable=1, charger=1)
    products().update_one({"sku": "cable"}, {"$set": {"name": "USB-C, 2 m"}})
    products().update_one({"sku": "charger"}, {"$set": {"name": "usb, 65 W"}})

    assert named(customer("GET", f"/products?q={words}")) == found


@pytest.mark.parametrize(
    "query", ["limit=0", "cursor=%FF", "cursor=_w==", "cursor=a", "sort=sku", "q=a&q=b", "q=%00"]
)
def test_a_parameter_that_makes_no_sense_is_named(customer: Ask, query: str) -> None:
    answer = customer("GET", f"/products?{query}")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["fix"]


@pytest.mark.parametrize("address", ["/products", "/products/pen"])
def test_what_a_client_has_already_is_not_sent_again(customer: Ask, address: str) -> None:
    stocked(pen=3)
    tag = customer("GET", address)["ETag"]

    for same in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        answer = customer("GET", address, If_None_Match=same)
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag)

    products().update_one({"sku": "pen"}, {"$inc": {"available": -1}})
    answer = customer("GET", address, If_None_Match=tag)
    assert answer.status_code == 200
    assert answer["ETag"] != tag


def test_a_product_is_added_with_its_stock(staff: Ask, customer: Ask) -> None:
    answer = staff("POST", "/products", GLOBE)

    assert (answer.status_code, answer["Location"]) == (201, "/products/globe")
    read = customer("GET", answer["Location"])
    assert read.json() == answer.json() == {**GLOBE, "currency": "EUR"}
    assert read["ETag"] == answer["ETag"]
    assert recount().differences == []


def test_a_sku_that_is_taken_is_refused(staff: Ask) -> None:
    staff("POST", "/products", GLOBE)

    answer = staff("POST", "/products", GLOBE | {"price": "1.00"})

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["field"] == "sku"
    assert staff("GET", "/products/globe").json()["price"] == "54.00"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("sku", value) for value in ("", "a b", "a/b", "..", "-a", "pen\n", "a:b", "x" * 65, 5)),
        *(("name", value) for value in ("", " ", "a\0", "x" * 201, None)),
        *(("price", value) for value in ("-1", "1.234", "1e3", "NaN", "1,5", 54, 54.0, "1.00\n")),
        *(("price", value) for value in ("1.000", "1.23456", "")),
        *(("available", value) for value in (-1, 1.5, "5", None, 10**30)),
        *(("currency", value) for value in ("ABC", "XAU", "eur", "EURO", "", "EUR\n", 978, None)),
    ],
)
def test_a_product_that_makes_no_sense_is_refused(staff: Ask, field: str, value: Any) -> None:
    answer = staff("POST", "/products", GLOBE | {field: value})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
    assert products().count_documents({}) == 0


def test_name_and_price_change(staff: Ask, customer: Ask) -> None:
    stocked(pen=3)

    changed = staff("PATCH", "/products/pen", {"price": "2", "name": "Pen, blue"})

    assert changed.status_code == 200
    pen = customer("GET", "/products/pen").json()
    assert pen == changed.json()
    assert (pen["name"], pen["price"], pen["available"]) == ("Pen, blue", "2.00", 3)


@pytest.mark.parametrize(
    ("currency", "price", "read"),
    [
        *(("JPY", "1250", "1250"), ("USD", "5", "5.00")),
        *(("KWD", "1.5", "1.500"), ("KWD", "1.234", "1.234")),
    ],
)
def test_a_product_is_sold_in_a_currency_of_its_own(
    staff: Ask, customer: Ask, currency: str, price: str, read: str
) -> None:
    added = staff("POST", "/products", GLOBE | {"price": price, "currency": currency})

    assert added.status_code == 201
    globe = customer("GET", "/products/globe").json()
    assert (globe["price"], globe["currency"]) == (read, currency)


def test_a_price_has_no_more_decimals_than_its_currency(staff: Ask) -> None:
    staff("POST", "/products", GLOBE | {"price": "54", "currency": "JPY"})

    for asked in ({"price": "54.00"}, {"price": "1.2345", "currency": "KWD"}, {"currency": "EUR"}):
        answer = staff("PATCH", "/products/globe", asked)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "price")
    for price in ("54.5", "54.00"):
        answer = staff("POST", "/products", GLOBE | {"sku": "g", "price": price, "currency": "JPY"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "price")

    changed = staff("PATCH", "/products/globe", {"price": "0.5", "currency": "EUR"}).json()
    assert (changed["price"], changed["currency"]) == ("0.50", "EUR")


@pytest.mark.parametrize(
    ("price", "wrong"),
    [
        ({"price": "1.234"}, ["name", "price"]),
        ({"price": "1.234", "currency": "JPY"}, ["name", "price"]),
        ({"price": "1.234", "currency": "KWD"}, ["name"]),
        ({"price": "1.234", "currency": "euro"}, ["name", "currency"]),
        ({"price": "much", "currency": "XXX"}, ["name", "price", "currency"]),
    ],
)
def test_all_that_is_wrong_is_told(staff: Ask, price: dict[str, str], wrong: list[str]) -> None:
    staff("POST", "/products", GLOBE)

    added = staff("POST", "/products", GLOBE | {"sku": "g", "name": ""} | price)
    changed = staff("PATCH", "/products/globe", {"name": ""} | price)
    nowhere = staff("PATCH", "/products/none", {"name": ""} | price)

    for answer in (added, changed):
        assert answer.status_code == 400
        assert [each["field"] for each in answer.json()["errors"]] == wrong
    assert nowhere.status_code == 400
    currency_alone = staff("PATCH", "/products/globe", {"name": "", "currency": "JPY"})
    assert [each["field"] for each in currency_alone.json()["errors"]] == ["name", "price"]


@pytest.mark.parametrize(
    ("field", "fix"), [("sku", "withdraw this one"), ("available", "restock the product")]
)
def test_what_does_not_change_so_says_how_it_does(staff: Ask, field: str, fix: str) -> None:
    stocked(pen=3)

    answer = staff("PATCH", "/products/pen", {field: 1})

    assert answer.status_code == 400
    assert fix in answer.json()["errors"][0]["fix"]


def test_a_change_of_a_state_that_is_gone_is_refused(staff: Ask) -> None:
    stocked(pen=3)
    tag = staff("GET", "/products/pen")["ETag"]

    first = staff("PATCH", "/products/pen", {"price": "2.00"}, If_Match=tag)
    second = staff("PATCH", "/products/pen", {"price": "3.00"}, If_Match=tag)
    third = staff("POST", "/products/pen/withdraw", If_Match=first["ETag"])

    assert (first.status_code, second.status_code, third.status_code) == (200, 412, 200)
    assert second["Content-Type"] == "application/problem+json"
    assert second.json()["errors"][0]["field"] == "If-Match"


def test_a_withdrawn_product_is_shown_to_the_staff_alone(staff: Ask, customer: Ask) -> None:
    stocked(pen=3, cup=1)

    first = staff("POST", "/products/pen/withdraw").json()
    again = staff("POST", "/products/pen/withdraw").json()

    assert first == again
    assert first["withdrawnAt"]
    assert named(customer("GET", "/products")) == ["cup"]
    assert customer("GET", "/products/pen").status_code == 404
    assert staff("GET", "/products/pen").json() == first
    assert staff("POST", "/products", GLOBE | {"sku": "pen"}).status_code == 409

    assert "withdrawnAt" not in staff("POST", "/products/pen/offer").json()
    assert customer("GET", "/products/pen").status_code == 200


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("POST", "/products"),
        ("PATCH", "/products/pen"),
        ("POST", "/products/pen/withdraw"),
        ("POST", "/products/pen/offer"),
    ],
)
def test_who_reads_may_not_change(customer: Ask, method: str, address: str) -> None:
    with override_settings(API_IS_OPEN=False):
        assert customer(method, address, GLOBE).status_code == 403


def test_what_another_program_wrote_wrong_hides_no_other(customer: Ask) -> None:
    stocked(pen=3, cup=1, mug=2)
    products().update_one({"sku": "pen"}, {"$set": {"price": Decimal128("NaN")}})
    products().update_one({"sku": "mug"}, {"$unset": {"name": ""}})
    products().insert_one({"price": "x", "withdrawn_at": datetime.now(UTC)})

    listed = customer("GET", "/products").json()["products"]

    assert [(each["sku"], each["name"]) for each in listed] == [("cup", "Cup"), ("mug", "mug")]
    assert customer("GET", "/products/pen").json()["price"] is None
