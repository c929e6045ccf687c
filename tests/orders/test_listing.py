"""Finding orders over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from bson import ObjectId
from django.test import Client

from orders import listing
from orders.collection import orders
from orders.requests import order_filters
from runtime.requests.caller import Caller
from tests.orders.conftest import Place

SHOP = Caller("key:shop", "a shop", frozenset({"orders:read"}))


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [order["orderId"] for order in response.json()["orders"]]


def backdate(order: dict[str, Any], moment: datetime) -> str:
    """Store the order again as one that was placed at that moment; return its new id."""
    document = orders().find_one_and_delete({"_id": ObjectId(order["orderId"])})
    assert document
    document["created_at"] = moment
    document["_id"] = ObjectId(int(moment.timestamp()).to_bytes(4, "big") + ObjectId().binary[4:])
    orders().insert_one(document)
    return str(document["_id"])


def test_one_order_shows_its_ledger(client: Client, place: Place):
    placed = place(101, ["book"])

    order = client.get(f"/orders/{placed['orderId']}").json()

    assert order.items() >= placed.items()
    pending = {"state": "pending", "at": None, "detail": None}
    assert order["ledger"] == dict.fromkeys(order["ledger"], pending)
    assert {"inventory", "billing"} <= order["ledger"].keys()


@pytest.mark.parametrize("order_id", ["nope", "0" * 24, "%24gt", "0" * 5000])
def test_an_unknown_order_is_not_found(client: Client, order_id: str):
    response = client.get(f"/orders/{order_id}")

    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_page_that_ends_with_another_programs_id_has_the_page_after_it(
    client: Client, place: Place
):
    """MongoDB sorts a text, as of mongoimport, behind every id of ours."""
    placed = place(101)["orderId"]
    stored = orders().find_one({"_id": ObjectId(placed)})
    assert stored
    for id_ in ("legacy-17", "legacy-18"):
        orders().insert_one({**stored, "_id": id_})

    first = client.get("/orders?limit=2")

    assert ids(first) == [placed, "legacy-18"]
    assert "/orders?limit=2&cursor=" in first.json()["next"]
    assert ids(client.get(first.json()["next"])) == []
    orders().delete_one({"_id": ObjectId(placed)})
    alone = client.get("/orders?limit=1")
    assert (ids(alone), alone.json()["next"]) == (["legacy-18"], None)


def test_the_pages_hold_each_order_once_newest_first(client: Client, place: Place):
    placed = [place(user)["orderId"] for user in (1, 2, 3, 4, 5)]

    seen, address = [], "/orders?limit=2"
    while address:
        response = client.get(address)
        seen.append(ids(response))
        place(99)  # Newer orders don't shift the pages that follow.
        address = response.json()["next"]

    newest_first = placed[::-1]
    assert seen == [newest_first[:2], newest_first[2:4], newest_first[4:]]


def test_the_next_page_keeps_the_filters(client: Client, place: Place):
    mine = [place(7)["orderId"], place(8)["orderId"], place(7)["orderId"]]

    first = client.get("/orders?userId=7&limit=1")
    second = client.get(first.json()["next"])

    assert ids(first) == [mine[2]]
    assert ids(second) == [mine[0]]
    assert second.json()["next"] is None


def test_orders_are_found_by_status(client: Client, place: Place):
    confirmed, placed = place()["orderId"], place()["orderId"]
    orders().update_one({"_id": ObjectId(confirmed)}, {"$set": {"status": "confirmed"}})

    assert ids(client.get("/orders?status=confirmed")) == [confirmed]
    assert ids(client.get("/orders?status=placed")) == [placed]
    assert ids(client.get("/orders?status=rejected")) == []


def test_orders_are_found_by_date(client: Client, place: Place):
    old = backdate(place(), datetime(2026, 1, 30, 23, 59, 59, 999000, tzinfo=UTC))
    midnight = backdate(place(), datetime(2026, 1, 31, tzinfo=UTC))
    late = backdate(place(), datetime(2026, 1, 31, 23, 59, 59, 999000, tzinfo=UTC))
    new = backdate(place(), datetime(2026, 2, 1, tzinfo=UTC))

    assert ids(client.get("/orders?createdFrom=2026-01-31")) == [new, late, midnight]
    assert ids(client.get("/orders?createdTo=2026-01-31")) == [late, midnight, old]
    assert ids(client.get("/orders?createdFrom=2026-01-31&createdTo=2026-01-31")) == [
        late,
        midnight,
    ]
    from_time = quote("2026-02-01T00:59:59.999+01:00")
    assert ids(client.get(f"/orders?createdFrom={from_time}")) == [new, late]
    assert ids(client.get("/orders?createdTo=2026-01-30T23:59:59.999Z")) == [old]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("userId=null", "userId"),
        ("userId=9223372036854775808", "userId"),
        ("userId[$gt]=", "userId[$gt]"),
        ("status=$gt", "status"),
        ("createdFrom=yesterday", "createdFrom"),
        ("createdTo=2026-02-30", "createdTo"),
        ("createdTo=9999-12-31", "createdTo"),
        ("createdFrom=2026-01-31T12:00:00", "createdFrom"),
        ("createdFrom=2026-01-31T12:00:00+01:00", "createdFrom"),
        ("cursor=abc", "cursor"),
        ("cursor=", "cursor"),
        ("user_id=1", "user_id"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(client: Client, query: str, field: str):
    response = client.get(f"/orders?{query}")

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    [error] = response.json()["errors"]
    assert error["field"] == field
    assert error["fix"]


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"createdFrom": "2026-01-31"},
        {"createdTo": "2026-01-31"},
        {"userId": "7"},
        {"userId": "7", "createdTo": "2026-01-31"},
        {"status": "confirmed"},
        {"status": "confirmed", "createdFrom": "2026-01-31"},
    ],
)
def test_every_filter_reads_no_more_than_its_page(
    client: Client, place: Place, parameters: dict[str, str]
):
    order = orders().find_one({"_id": ObjectId(place(1)["orderId"])})
    others = [{**order, "_id": ObjectId()} for _ in range(500)]
    few = [{**order, "_id": ObjectId(), "user_id": 7, "status": "confirmed"} for _ in range(5)]
    orders().insert_many(others + few)

    query = listing.query(order_filters.read(parameters), SHOP)
    plan = orders().find(query).sort("_id", -1).limit(51).explain()

    assert plan["executionStats"]["totalDocsExamined"] <= 51
    assert "'SORT'" not in str(plan["queryPlanner"]["winningPlan"])
