"""Cancelling orders over HTTP, and what the services' events then make of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from bson import ObjectId
from django.conf import settings
from django.test import Client

from messaging.publishing.publisher import Publisher
from orders import ledger
from orders.collection import orders
from orders.outbox import relay
from tests.broker import take_all
from tests.concurrency import at_once
from tests.orders.conftest import Place


def cancel(client: Client, order_id: str, body: Any = None) -> Any:
    data = "" if body is None else json.dumps(body)
    return client.post(f"/orders/{order_id}/cancel", data, content_type="application/json")


def stored(order_id: str) -> dict[str, Any]:
    document = orders().find_one({"_id": ObjectId(order_id)})
    assert document
    return document


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher(settings.AMQP_URL) as publisher:
        yield publisher


def test_a_cancelled_order_is_cancelled_once_however_often_one_asks(client: Client, place: Place):
    order = place()

    first = cancel(client, order["orderId"], {"reason": "Ordered twice"})
    again = cancel(client, order["orderId"], {"reason": "Another"})

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert first.json()["order"] == order | {"status": "cancelled"}
    shown = client.get(f"/orders/{order['orderId']}").json()
    assert shown["status"] == "cancelled"
    assert shown["cancellation"]["reason"] == "Ordered twice"
    assert stored(order["orderId"])["version"] == 2


def test_the_event_carries_the_order_and_the_reason(place: Place, client: Client, publisher: Any):
    order = place()
    cancel(client, order["orderId"], {"reason": "$status"})

    relay.publish_batch(publisher)

    _, event = take_all("inventory")
    assert event.properties["message_id"] == f"order.cancelled:{order['orderId']}"
    assert event.properties["type"] == "order.cancelled"
    assert event.headers["order-version"] == 2
    body = msgspec.json.decode(event.body)
    assert body == order | {"status": "cancelled", "reason": "$status"}
    assert len(take_all("billing")) == 2


def test_without_a_reason_the_event_has_none(place: Place, client: Client, publisher: Any):
    order = place()
    assert cancel(client, order["orderId"]).status_code == 200

    relay.publish_batch(publisher)

    assert "reason" not in msgspec.json.decode(take_all("inventory")[1].body)


def test_many_who_cancel_at_once_cause_one_event(place: Place, client: Client):
    order_id = place()["orderId"]

    answers = at_once([lambda: cancel(client, order_id)] * 10)

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    types = [event["type"] for event in stored(order_id)["pending_events"]]
    assert types == ["order.placed", "order.cancelled"]


@pytest.mark.parametrize("state", ["reserved", "rejected"])
def test_a_confirmed_or_rejected_order_can_be_cancelled(place: Place, client: Client, state: str):
    order_id = place()["orderId"]
    ledger.record(order_id, "billing", "invoiced", "2026-000001")
    ledger.record(order_id, "inventory", state, "Out of stock")

    assert cancel(client, order_id).status_code == 200


def test_a_rejection_keeps_its_reason_though_its_stock_was_released_since(
    place: Place, client: Client, publisher: Any
):
    order_id = place()["orderId"]
    ledger.record(order_id, "inventory", "rejected", "Out of stock: pen")
    cancel(client, order_id)
    ledger.record(order_id, "inventory", "released")

    relay.publish_batch(publisher)

    rejected = take_all("billing")[1]
    assert msgspec.json.decode(rejected.body)["reason"] == "Out of stock: pen"


def test_a_shipped_order_is_not_cancelled(place: Place, client: Client):
    order_id = place()["orderId"]
    ledger.record(order_id, "inventory", "shipped")

    refused = cancel(client, order_id)

    assert refused.status_code == 409
    assert refused.json()["type"] == "/problems/order-shipped"
    assert refused.json()["detail"].startswith("The order was not cancelled. ")
    assert "shipped" in refused.json()["errors"][0]["detail"]
    assert stored(order_id)["status"] == "shipped"


def test_cancelled_orders_are_listed(place: Place, client: Client):
    order_id = place()["orderId"]
    place()
    cancel(client, order_id)

    listed = client.get("/orders?status=cancelled").json()["orders"]

    assert [order["orderId"] for order in listed] == [order_id]


@pytest.mark.parametrize("order_id", ["0" * 24, "7", "$gt"])
def test_an_order_that_is_not_there_is_404(client: Client, order_id: str):
    assert cancel(client, order_id).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"reason": ""}', "reason"),
        (json.dumps({"reason": "x" * 501}), "reason"),
        ('{"reason": {"$gt": ""}}', "reason"),
        ('{"why": "x"}', "why"),
        ("[]", "body"),
        ("reason=x", "body"),
    ],
)
def test_a_body_that_is_not_a_reason_is_refused(
    place: Place, client: Client, body: str, field: str
):
    order_id = place()["orderId"]
    address = f"/orders/{order_id}/cancel"

    refused = client.post(address, body, content_type="application/json")

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == field
    assert client.post(address, "x=1", content_type="text/plain").status_code == 415
    too_long = json.dumps({"reason": "x" * 20_000})
    assert client.post(address, too_long, content_type="application/json").status_code == 413
    assert stored(order_id)["status"] == "placed"
