"""Publishers and subscribers that are not ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection

from tests.broker import publish
from tests.journeys.api import Api, await_failed_messages, listener
from tests.journeys.whole_pipeline.conftest import Pipeline
from tests.polling import eventually

FOREIGN_ORDER = {
    "orderId": 1718000000000,
    "userId": 101,
    "items": [{"sku": "book", "quantity": 2, "unitPrice": "12.50"}],
    "createdAt": "2026-01-01T00:00:00.000Z",
}


def document(collection: str) -> Any:
    return connection.database[collection].find_one({"_id": str(FOREIGN_ORDER["orderId"])})


def test_plain_json_without_any_property_is_an_order(pipeline: Pipeline) -> None:
    """
    Given a foreign publisher that sends nothing but JSON
    When it publishes an order with prices
    Then inventory reserves it and billing invoices it, like any other.
    """
    publish(json.dumps(FOREIGN_ORDER).encode())

    assert eventually(lambda: document("reservations"))["state"] == "reserved"
    assert str(eventually(lambda: document("invoices"))["total"]) == "25.00"
    # Orders never took it, so it keeps no ledger of it, and says so.
    told = await_failed_messages(2)
    assert {(each["service"], each["reason"]) for each in told} == {("orders", "permanent_error")}


def test_the_tutorials_own_message_tells_what_it_lacks(pipeline: Pipeline) -> None:
    publish(json.dumps({**FOREIGN_ORDER, "items": ["book", "pen"]}).encode())

    failed = {each["service"]: each for each in await_failed_messages(2)}

    assert failed["billing"]["reason"] == "invalid_body"
    assert failed["billing"]["orderId"] == str(FOREIGN_ORDER["orderId"])
    assert "items[0].unitPrice is missing" in failed["billing"]["message"]
    assert document("reservations")["state"] == "reserved"
    assert document("invoices") is None


@pytest.mark.parametrize(
    ("exchange", "routing_key", "arguments", "told"),
    [
        ("order_events", "", None, ["order.placed"]),
        ("order_events.topic", "order.*", None, ["order.placed", "order.confirmed"]),
        ("order_events.topic", "order.placed", None, ["order.placed"]),
        ("order_events.headers", "", None, ["order.placed", "order.confirmed"]),
        ("order_events.headers", "", {"x-match": "all", "order-version": 1}, ["order.placed"]),
    ],
)
def test_anyone_may_bind_a_queue_of_their_own(
    api: Api, exchange: str, routing_key: str, arguments: dict[str, Any] | None, told: list[str]
) -> None:
    with listener(exchange, routing_key=routing_key, arguments=arguments) as events:
        order_id = api.place(101)
        api.await_status(order_id, "confirmed")

        def all_told() -> bool:
            events.listen()
            return events.types(order_id) == told

        eventually(all_told)


def test_a_topic_chooses_among_the_types(api: Api) -> None:
    with (
        listener("order_events.topic", routing_key="order.*") as every,
        listener("order_events.topic", routing_key="order.placed") as placed,
    ):
        order_id = api.place(101, "print")
        api.await_status(order_id, "rejected")
        eventually(lambda: api.states(order_id) == ("rejected", "credited"))
        every.listen()
        placed.listen()

    assert every.types(order_id) == ["order.placed", "order.rejected"]
    assert placed.types(order_id) == ["order.placed"]


def test_tail_shows_events_live(pipeline: Pipeline, api: Api) -> None:
    tail = pipeline.processes.run("tail", "python manage.py tail 'order.*'")
    eventually(lambda: "Ctrl-C stops" in tail.log_tail())

    order_id = api.place(101)

    eventually(lambda: f"order={order_id}" in tail.log_tail())
    [shown] = [each for each in tail.log_tail().splitlines() if order_id in each]
    assert "order.placed" in shown
    api.await_status(order_id, "confirmed")
    assert "billing.invoiced" not in tail.log_tail()
    assert tail.stop() == 0
