"""Requests that a client repeats with the same Idempotency-Key."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from bson import Decimal128, ObjectId, Timestamp
from django.db import connection
from django.test import Client, override_settings

from orders import idempotency, ledger, placing
from orders.catalogue import Catalogue
from orders.collection import orders
from orders.models import Order
from runtime.milliseconds import now_in_milliseconds
from tests.concurrency import at_once

ORDER = {"userId": 101, "items": ["book", "pen"]}


def post(client: Client, key: str, order: dict[str, Any] | None = None) -> Any:
    return client.post(
        "/orders",
        json.dumps(order or ORDER),
        content_type="application/json",
        headers={"Idempotency-Key": key},
    )


def count() -> int:
    return orders().count_documents({})


def test_a_repeat_gets_the_first_answer_again(either_way: Client):
    first, again = post(either_way, "k-1"), post(either_way, "k-1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert count() == 1


def test_the_first_answer_stays_what_it_was_whatever_became_of_the_order(either_way: Client):
    first = post(either_way, "k-1")
    order_id = first.json()["order"]["orderId"]
    ledger.record(order_id, "inventory", "rejected", "Out of stock: pen")

    assert post(either_way, "k-1").content == first.content


def test_a_repeat_is_answered_though_its_product_is_no_longer_sold(
    either_way: Client, monkeypatch: pytest.MonkeyPatch
):
    first = post(either_way, "k-1")
    connection.database["products"].delete_many({"sku": "pen"})
    monkeypatch.setattr(placing, "catalogue", Catalogue())

    assert post(either_way, "k-1").content == first.content
    assert post(either_way, "k-2").status_code == 422


def test_the_same_key_with_another_order_is_refused(either_way: Client):
    post(either_way, "k-1")

    refused = post(either_way, "k-1", {"userId": 101, "items": ["book"]})

    assert refused.status_code == 422
    assert refused.headers["Content-Type"] == "application/problem+json"
    [error] = refused.json()["errors"]
    assert (error["field"], error["detail"]) == (
        "Idempotency-Key",
        "was used for another order",
    )
    assert count() == 1


def test_the_same_order_in_other_bytes_is_the_same_request(either_way: Client):
    first = post(either_way, "k-1")

    again = post(either_way, "k-1", {"items": ["book", "pen"], "userId": 101})

    assert again.content == first.content


@pytest.mark.parametrize(
    "items",
    [
        [{"sku": "book", "quantity": 1}, "pen", "pen"],
        [{"quantity": 1, "sku": "book"}, {"sku": "pen", "quantity": 2}],
        ["pen", "book", {"sku": "pen", "quantity": 1}],
    ],
)
def test_the_same_order_in_another_form_is_the_same_request(either_way: Client, items: list[Any]):
    first = post(either_way, "k-1", {"userId": 101, "items": ["book", "pen", "pen"]})

    again = post(either_way, "k-1", {"userId": 101, "items": items})

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    other = post(either_way, "k-1", {"userId": 101, "items": ["book", "pen"]})
    assert other.status_code == 422
    assert count() == 1


def test_a_key_of_an_earlier_release_goes_on_to_work(either_way: Client):
    """Which fingerprinted how a request was written."""
    first = post(either_way, "k-1", {"userId": 101, "items": [{"sku": "book", "quantity": 1}]})
    orders().update_many({}, {"$set": {"request_fingerprint": "a" * 64}})

    again = post(either_way, "k-1", {"userId": 101, "items": ["book"]})

    assert again.content == first.content


def test_a_key_belongs_to_its_user(either_way: Client):
    mine, other = post(either_way, "k-1"), post(either_way, "k-1", {**ORDER, "userId": 202})

    assert (mine.status_code, other.status_code) == (201, 201)
    assert mine.json()["order"]["orderId"] != other.json()["order"]["orderId"]


def test_a_refusal_is_not_stored(either_way: Client):
    order = {"userId": 101, "items": ["lamp"]}
    assert post(either_way, "k-1", order).status_code == 422
    assert post(either_way, "k-1", {"userId": 101, "items": []}).status_code == 400
    product = {"sku": "lamp", "price": Decimal128("20"), "currency": "EUR"}
    connection.database["products"].insert_one(product)

    answer = post(either_way, "k-1", order)

    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer.headers


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_has_1_to_255_characters(either_way: Client, key: str):
    refused = post(either_way, key)

    assert refused.status_code == 400
    [error] = refused.json()["errors"]
    assert error["field"] == "Idempotency-Key"
    assert "255" in error["fix"]
    assert count() == 0


def test_the_longest_key_and_user_are_taken(either_way: Client):
    order = {**ORDER, "userId": 2**63 - 1}

    assert post(either_way, "k" * 255, order).status_code == 201
    assert post(either_way, "k" * 255, order).headers["Idempotent-Replayed"] == "true"


def test_fifty_requests_at_once_place_one_order_and_get_the_same_answer(either_way: Client):
    answers = at_once([lambda: post(either_way, "k-1")] * 50)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert count() == 1


def test_of_two_orders_at_once_under_one_key_one_is_placed(either_way: Client):
    other = {"userId": 101, "items": ["headphones"]}

    answers = at_once([lambda o=o: post(either_way, "k-1", o) for o in (ORDER, other) * 10])

    assert sorted({answer.status_code for answer in answers}) == [201, 422]
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert count() == 1


def test_a_key_is_forgotten_after_its_hours(either_way: Client):
    first = post(either_way, "k-1").json()["order"]["orderId"]
    grow_older(first, hours=23)
    assert post(either_way, "k-1").headers["Idempotent-Replayed"] == "true"
    grow_older(first, hours=2)

    answers = at_once([lambda: post(either_way, "k-1")] * 10)

    [second] = {answer.json()["order"]["orderId"] for answer in answers}
    assert second != first
    assert count() == 2


def test_the_hours_are_a_setting(either_way: Client):
    first = post(either_way, "k-1").json()["order"]["orderId"]
    grow_older(first, hours=2)

    with override_settings(IDEMPOTENCY_KEY_HOURS=1):
        assert post(either_way, "k-1").json()["order"]["orderId"] != first


def grow_older(order_id: str, *, hours: float) -> None:
    order = orders().find_one({"_id": ObjectId(order_id)})
    assert order
    earlier = {
        "created_at": order["created_at"] - timedelta(hours=hours),
        "keyed_at": Timestamp(order["keyed_at"].time - round(hours * 3_600), 1),
    }
    orders().update_one({"_id": order["_id"]}, {"$set": earlier})


def test_an_order_of_an_earlier_release_was_placed_when_it_says(either_way: Client):
    first = post(either_way, "k-1").json()["order"]["orderId"]
    grow_older(first, hours=25)
    orders().update_one({"_id": ObjectId(first)}, {"$unset": {"keyed_at": ""}})

    assert post(either_way, "k-1").json()["order"]["orderId"] != first


def set_clock(patch: pytest.MonkeyPatch, clock: Callable[[], datetime]) -> None:
    for module in (placing, idempotency):
        patch.setattr(module, "now_in_milliseconds", clock)


@pytest.mark.parametrize("hours", [-25, 25])
def test_a_clock_that_is_wrong_makes_no_key_forgotten(
    either_way: Client, monkeypatch: pytest.MonkeyPatch, hours: int
):
    """
    Given a web server whose clock is more than a day behind, or ahead
    When it places an order, its clock is set right, and the request comes again
    Then it is the same order.
    """
    now = now_in_milliseconds

    def wrong() -> datetime:
        return now() + timedelta(hours=hours)

    with monkeypatch.context() as patched:
        set_clock(patched, wrong)
        first = post(either_way, "k-1").json()["order"]["orderId"]
    assert post(either_way, "k-1").json()["order"]["orderId"] == first

    set_clock(monkeypatch, wrong)
    assert post(either_way, "k-1").json()["order"]["orderId"] == first
    assert count() == 1


def test_a_first_order_that_was_lost_with_the_primary_is_in_flight(
    either_way: Client, monkeypatch: pytest.MonkeyPatch
):
    post(either_way, "k-1")
    monkeypatch.setattr(idempotency, "find", lambda stored_key: None)

    refused = post(either_way, "k-1")

    assert refused.status_code == 409
    assert "again" in refused.json()["errors"][0]["fix"]


def test_a_key_is_found_by_its_index(either_way: Client):
    post(either_way, "k-1")

    plan = json.loads(
        Order.objects.filter(idempotency_key="101:k-1").explain(verbosity="executionStats")
    )

    assert plan["executionStats"]["totalKeysExamined"] == 1
    assert plan["executionStats"]["totalDocsExamined"] == 1
