"""Placing orders over HTTP, with the real MongoDB."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from bson import Decimal128, ObjectId
from django.db import connection
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from orders import placing
from orders.representation import order_json
from orders.requests.order_request import Item, quantities_of
from runtime.money.currencies import smallest_unit
from runtime.money.price import Price
from runtime.requests.refusal import Refusal


def stored() -> list[dict[str, Any]]:
    return list(connection.database["orders"].find())


def post(client: Client, order: Any, **options: Any) -> Any:
    return client.post("/orders", json.dumps(order), content_type="application/json", **options)


def test_the_tutorials_request_is_answered_with_the_priced_order(either_way: Client):
    response = post(either_way, {"userId": 101, "items": ["book", "pen"]})

    assert response.status_code == 201
    body = response.json()
    order = body["order"]
    assert "placed" in body["message"]
    assert response.headers["Location"] == f"/orders/{order['orderId']}"
    assert order["items"] == [
        {"sku": "book", "quantity": 1, "unitPrice": "12.50"},
        {"sku": "pen", "quantity": 1, "unitPrice": "1.20"},
    ]
    assert (order["userId"], order["status"]) == (101, "placed")
    assert (order["total"], order["currency"]) == ("13.70", "EUR")
    # As the tutorial's JavaScript writes it.
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", order["createdAt"])


def test_the_order_and_its_event_are_one_document(either_way: Client):
    order_id = post(either_way, {"userId": 101, "items": ["book"]}).json()["order"]["orderId"]

    [document] = stored()
    assert document["_id"] == ObjectId(order_id)
    assert document["total"] == Decimal128("12.50")
    assert document["ledger"]["billing"]["state"] == "pending"
    [event] = document["pending_events"]
    assert (event["id"], event["type"]) == (f"order.placed:{order_id}", "order.placed")
    assert document["pending_since"] == document["created_at"]


def test_lines_of_one_sku_are_merged(either_way: Client):
    order = post(either_way, {"userId": 1, "items": ["pen", "book", {"sku": "pen", "quantity": 3}]})

    assert [(line["sku"], line["quantity"]) for line in order.json()["order"]["items"]] == [
        ("pen", 4),
        ("book", 1),
    ]


def test_the_largest_order_is_taken(either_way: Client):
    order = {"userId": 2**63 - 1, "items": [{"sku": "book", "quantity": 10}] * 1000}

    response = post(either_way, order)

    assert response.status_code == 201
    assert response.json()["order"]["total"] == "125000.00"
    assert stored()[0]["user_id"] == 2**63 - 1


def test_an_unknown_sku_is_named_with_its_item(either_way: Client):
    response = post(
        either_way, {"userId": 1, "items": ["book", "bok", {"sku": "$gt", "quantity": 1}]}
    )

    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    errors = response.json()["errors"]
    assert [error["field"] for error in errors] == ["items[1]", "items[2]"]
    assert "'bok' is not in the catalogue" in errors[0]["detail"]
    assert stored() == []


def test_what_is_not_sold_is_named_beside_too_many_units(either_way: Client):
    items = ["bok", {"sku": "pen", "quantity": 10_000}, "pen"]

    response = post(either_way, {"userId": 1, "items": items})

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["items[2]", "items[0]"]
    assert stored() == []


def test_a_new_product_can_be_ordered_at_once(either_way: Client):
    post(either_way, {"userId": 1, "items": ["book"]})
    assert post(either_way, {"userId": 1, "items": ["lamp"]}).status_code == 422

    product = {"sku": "lamp", "price": Decimal128("20"), "currency": "EUR"}
    connection.database["products"].insert_one(product)

    response = post(either_way, {"userId": 1, "items": ["lamp"]})
    assert response.json()["order"]["total"] == "20.00"


def test_an_order_of_a_product_without_a_right_price_is_refused_and_others_are_placed(
    either_way: Client,
):
    products = connection.database["products"]
    products.update_one({"sku": "pen"}, {"$set": {"price": 1.2}})

    refused = post(either_way, {"userId": 1, "items": ["book", "pen"]})

    assert refused.status_code == 409
    assert refused.headers["Content-Type"] == "application/problem+json"
    [error] = refused.json()["errors"]
    assert error["field"] == "items[1]"
    assert "'pen' cannot be sold now" in error["detail"]
    assert "send it again" in error["fix"]
    assert post(either_way, {"userId": 1, "items": ["book"]}).status_code == 201
    unknown_too = post(either_way, {"userId": 1, "items": ["pen", "bok"]})
    assert unknown_too.status_code == 422
    assert len(unknown_too.json()["errors"]) == 2


def test_a_negative_zero_makes_no_other_product_negative(either_way: Client):
    connection.database["products"].insert_many(
        [
            {"sku": "odd", "price": Decimal128("-0.00"), "currency": "EUR"},
            {"sku": "free", "price": Decimal128("0.00"), "currency": "EUR"},
        ]
    )

    for sku in ("odd", "free"):
        order = post(either_way, {"userId": 1, "items": [sku]}).json()["order"]
        assert (order["items"][0]["unitPrice"], order["total"]) == ("0.00", "0.00")


def test_products_of_several_currencies_are_refused(either_way: Client):
    product = {"sku": "tea", "price": Decimal128("5"), "currency": "GBP"}
    connection.database["products"].insert_one(product)

    response = post(either_way, {"userId": 1, "items": ["tea", "book"]})

    assert response.status_code == 422
    [told] = response.json()["errors"]
    assert (told["field"], told["pointer"]) == ("items[1]", "#/items/1")
    assert told["detail"] == "'book' is sold in EUR, and the first item in GBP"
    assert "place another order for what is sold in EUR" in told["fix"]


@pytest.mark.parametrize(
    ("currency", "price", "total"), [("JPY", "1250", "2500"), ("KWD", "1.234", "2.468")]
)
def test_an_order_has_the_decimals_of_its_currency(
    either_way: Client, currency: str, price: str, total: str
):
    product = {"sku": "tea", "price": Decimal128(price), "currency": currency}
    connection.database["products"].insert_one(product)

    asked = {"userId": 1, "items": [{"sku": "tea", "quantity": 2}]}
    order = post(either_way, asked).json()["order"]

    assert (order["items"][0]["unitPrice"], order["total"]) == (price, total)
    assert order["currency"] == currency


def test_merged_lines_keep_to_the_limit(either_way: Client):
    response = post(either_way, {"userId": 1, "items": [{"sku": "pen", "quantity": 9_999}] * 2})

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "items[1]"
    assert stored() == []


def test_no_body_is_refused(either_way: Client):
    response = either_way.post("/orders", "", content_type="application/json")

    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert (error["field"], error["detail"]) == ("body", "must not be empty")
    assert stored() == []


def test_a_body_without_its_length_is_refused(either_way: Client):
    response = either_way.post(
        "/orders", "", content_type="application/json", headers={"transfer-encoding": "chunked"}
    )

    assert response.status_code == 411
    assert response.json()["errors"][0]["field"] == "Content-Length"


def test_a_field_at_fault_is_named_in_the_problem(either_way: Client):
    response = post(either_way, {"userId": {"$gt": ""}, "items": ["book"]})

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["detail"].startswith("The order was not placed. ")
    assert response.json()["errors"][0]["field"] == "userId"
    assert stored() == []


def test_two_megabytes_are_refused_unread(either_way: Client):
    body = json.dumps({"userId": 1, "items": ["book"]}) + " " * 2**21

    response = either_way.post("/orders", body, content_type="application/json")

    assert response.status_code == 413
    assert stored() == []


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_refused(either_way: Client, content_type: str):
    body = '{"userId": 1, "items": ["book"]}'

    response = either_way.post("/orders", body, content_type=content_type)

    assert response.status_code == 415
    assert "application/json" in response.json()["detail"]
    assert stored() == []


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_another_method_is_refused(either_way: Client, method: str):
    response = getattr(either_way, method)("/orders")

    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


quantities = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 10_000), min_size=1)
units = st.integers(0, 10**12)


@given(quantities, st.sampled_from(["EUR", "JPY", "KWD", "CLF"]), st.data())
def test_a_total_is_exact_to_the_smallest_unit(
    lines: dict[str, int], currency: str, data: st.DataObject
):
    costs = {sku: data.draw(units) for sku in lines}
    unit = smallest_unit(currency)
    prices = {sku: Price(cost * unit, currency) for sku, cost in costs.items()}

    document = placing.compose(1, lines, prices)

    total = sum(costs[sku] * quantity for sku, quantity in lines.items()) * unit
    assert document["total"].to_decimal() == total
    assert order_json(document)["total"] == str(total)


items = st.lists(
    st.sampled_from("abc") | st.builds(Item, st.sampled_from("abc"), st.integers(1, 9))
)


@given(items)
def test_merging_keeps_every_unit(items: list[str | Item]):
    merged = quantities_of(items)

    assert sum(merged.values()) == sum(1 if isinstance(i, str) else i.quantity for i in items)


def test_merging_stops_at_the_limit():
    with pytest.raises(Refusal):
        quantities_of([Item("a", 10_000), "a"])


def test_whoever_knows_the_ids_of_orders_cannot_guess_the_next_one():
    """Otherwise a message about an order could be sent before it is placed."""
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    ids = [placing.id_of(moment).binary for _ in range(200)]

    assert {each[:4] for each in ids} == {int(moment.timestamp()).to_bytes(4, "big")}
    assert len({each[7:] for each in ids}) == len(ids)
    # The counter is what may be known.
    assert all(len({each[byte] for each in ids}) > 50 for byte in range(7, 12))


def test_ids_of_one_process_are_in_the_sequence_of_its_orders():
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    ids = [placing.id_of(moment) for _ in range(200)]

    wraps = [before for before, after in pairwise(ids) if after < before]
    # The counter begins anew after sixteen million.
    assert len(wraps) <= 1
