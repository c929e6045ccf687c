"""What inventory makes of an order's body, and what it tells the others."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from inventory.reserving import reservations
from inventory.tasks import release_stock, reserve_stock
from messaging.errors import InvalidMessage
from messaging.handling.handlers import known_types
from tests.inventory.catalogue import stock, stocked

pytestmark = pytest.mark.usefixtures("clean")


def body(**fields: Any) -> dict[str, Any]:
    return {"orderId": "6743f0a1", "userId": 101, "items": ["book", "pen"]} | fields


def test_a_foreign_order_in_the_tutorials_shape_is_reserved() -> None:
    stocked(book=1, pen=5)

    [event] = reserve_stock(body(orderId=1718000000000, createdAt="2026-05-01T10:00:00Z"))

    assert (event.type, event.message_id) == (
        "inventory.reserved",
        "inventory.reserved:1718000000000",
    )
    assert event.correlation_id == "1718000000000"
    assert msgspec.json.decode(event.body) == {
        "orderId": "1718000000000",
        "userId": 101,
        "items": [{"sku": "book", "quantity": 1}, {"sku": "pen", "quantity": 1}],
    }


def test_the_greatest_user_id_comes_back_on_a_second_delivery() -> None:
    stocked(book=5, pen=5)
    order = body(userId=2**63 - 1)

    assert reserve_stock(order)[0].body == reserve_stock(order)[0].body


def test_lines_of_one_sku_are_one_reservation() -> None:
    stocked(pen=5)

    reserve_stock(body(items=["pen", {"sku": "pen", "quantity": 2}, "pen"]))

    assert stock("pen") == (1, 4)


def test_a_rejection_says_what_was_short() -> None:
    stocked(book=1, pen=1)

    [event] = reserve_stock(body(items=["book", {"sku": "pen", "quantity": 2}]))

    told = msgspec.json.decode(event.body)
    assert event.type == "inventory.rejected"
    assert told["reason"] == "Out of stock: pen (2 asked, 1 available)"
    assert told["shortages"] == [{"sku": "pen", "asked": 2, "available": 1}]


def test_every_event_of_an_order_is_known() -> None:
    assert known_types("inventory") == {"order.placed", "order.rejected", "order.cancelled"}


def test_a_release_is_told_with_the_orders_lines() -> None:
    stocked(book=5, pen=5)
    reserve_stock(body())

    [event] = release_stock(body(status="cancelled", reason="changed my mind"))

    assert (event.type, event.message_id) == ("inventory.released", "inventory.released:6743f0a1")
    assert msgspec.json.decode(event.body) == {
        "orderId": "6743f0a1",
        "userId": 101,
        "items": [{"sku": "book", "quantity": 1}, {"sku": "pen", "quantity": 1}],
    }
    assert stock("pen") == (5, 0)


def test_an_order_that_comes_after_its_cancellation_is_told_as_released() -> None:
    stocked(book=5, pen=5)
    [first] = release_stock(body())

    [second] = reserve_stock(body())

    assert (second.type, second.message_id, second.body) == (
        first.type,
        first.message_id,
        first.body,
    )


@pytest.mark.parametrize("handler", [reserve_stock, release_stock])
def test_a_cancellation_is_checked_as_an_order_is(handler: Any) -> None:
    with pytest.raises(InvalidMessage, match="orderId: must be"):
        handler(body(orderId={"$gt": ""}))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"orderId": None}, "orderId: must be a whole number or text, not null"),
        ({"orderId": True}, "orderId: must be a whole number or text, not a boolean"),
        ({"orderId": ""}, "orderId: must be text of at least 1 character"),
        ({"orderId": "x" * 101}, "orderId: must be text of at most 100 characters"),
        ({"orderId": 10**5000}, "orderId"),
        ({"orderId": "\N{PACKAGE}" * 60}, "orderId: must have at most 200 bytes"),
        ({"orderId": -1}, "orderId"),
        ({"orderId": 1.5}, "orderId"),
        ({"orderId": {"$gt": ""}}, "orderId: must be a whole number or text, not an object"),
        ({"userId": None}, "userId: must be a whole number, not null"),
        ({"userId": "101"}, "userId: must be a whole number, not text"),
        ({"userId": 2**63}, "userId"),
        ({"userId": {"$gt": ""}}, "userId: must be a whole number, not an object"),
        ({"items": None}, "items: must be an array, not null"),
        ({"items": []}, "items: must be an array of at least 1 item"),
        ({"items": ["pen"] * 1001}, "items: must be an array of at most 1000 items"),
        ({"items": {"$gt": ""}}, "items: must be an array, not an object"),
        ({"items": "pen"}, "items: must be an array, not text"),
        ({"items": [["pen"]]}, r"items\[0\]: must be text or an object, not an array"),
        ({"items": [""]}, r"items\[0\]: must be text of at least 1 character"),
        ({"items": ["pen", {"sku": "pen"}]}, r"items\[1\].quantity is missing"),
        ({"items": [{"$gt": ""}]}, r"items\[0\].sku is missing"),
        ({"items": [{"sku": {"$gt": ""}, "quantity": 1}]}, r"items\[0\].sku: must be text"),
        (
            {"items": [{"sku": "pen", "quantity": 0}]},
            "quantity: must be a whole number of at least 1",
        ),
        (
            {"items": [{"sku": "pen", "quantity": -1}]},
            "quantity: must be a whole number of at least 1",
        ),
        (
            {"items": [{"sku": "pen", "quantity": 1.5}]},
            r"items\[0\].quantity: must be a whole number",
        ),
        (
            {"items": [{"sku": "pen", "quantity": "2"}]},
            r"items\[0\].quantity: must be a whole number",
        ),
        ({"items": [{"sku": "pen", "quantity": 10**9}]}, "must be a whole number of at most"),
        (
            {"items": [{"sku": "pen", "quantity": True}]},
            r"items\[0\].quantity: must be a whole number",
        ),
    ],
)
def test_a_hostile_body_is_refused_by_field(fields: dict[str, Any], problem: str) -> None:
    stocked(pen=5)

    with pytest.raises(InvalidMessage, match=problem) as refusal:
        reserve_stock(body(**fields))

    assert '"items": ["book"' in str(refusal.value), "it shows a right body"
    assert stock("pen") == (5, 0)
    assert reservations().count_documents({}) == 0


@pytest.mark.parametrize("field", ["orderId", "userId", "items"])
def test_a_missing_field_is_named(field: str) -> None:
    incomplete = body()
    del incomplete[field]

    with pytest.raises(InvalidMessage, match=f"^{field} is missing"):
        reserve_stock(incomplete)
