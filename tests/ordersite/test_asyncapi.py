"""The documents for subscribers, held against what the services really publish."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import yaml
from bson import Decimal128

from billing import events as billing_events
from inventory import events as inventory_events
from messaging.message import Message
from messaging.service import events, services
from orders import placing
from orders.outbox import store
from ordersite.management.commands.asyncapi import files
from ordersite.pipeline import asyncapi
from runtime.money.price import Price

ORDER_ID = "674300000000000000000001"


def order_messages() -> Iterator[Message]:
    document = placing.compose(101, {"book": 2}, {"book": Price(Decimal("12.50"), "EUR")})
    document["steps"] = [
        {"service": "inventory", "state": "rejected", "detail": "Out of stock: book"}
    ]
    for reason in ("Ordered twice", None):
        document["cancellation"] = {"reason": reason}
        for status in ("placed", "confirmed", "rejected", "cancelled"):
            type_ = f"order.{status}"
            pending = {"id": f"{type_}:1", "type": type_, "version": 1, "at": datetime.now(UTC)}
            yield store.message(document, pending)


def inventory_messages() -> Iterator[Message]:
    for state in ("reserved", "rejected", "released", "shipped"):
        yield inventory_events.answered(
            {
                "_id": ORDER_ID,
                "user_id": 101,
                "state": state,
                "items": [{"sku": "book", "quantity": 2}],
                "shortages": [{"sku": "book", "asked": 2, "available": 1}],
            }
        )


def billing_messages() -> Iterator[Message]:
    for state, number in (("issued", "2026-000001"), ("credited", "2026-000001"), ("void", None)):
        yield billing_events.billed(
            {
                "_id": ORDER_ID,
                "user_id": 101,
                "state": state,
                "number": number,
                "credit_note_number": number and "C2026-000001",
                "total": Decimal128("25.00"),
                "currency": "EUR",
            }
        )


def test_every_published_event_is_documented_to_the_last_field():
    documented = events()
    messages = [*order_messages(), *inventory_messages(), *billing_messages()]

    for message in messages:
        event = documented[message.type]
        body = msgspec.json.decode(message.body, type=event.body, strict=True)
        assert msgspec.to_builtins(body) == msgspec.json.decode(message.body)
        assert message.headers["schema-version"] == event.version

    of_these = [services()[name] for name in ("orders", "inventory", "billing")]
    assert {message.type for message in messages} == {
        event.type for service in of_these for event in service.publishes
    }


def test_the_exchange_that_is_documented_is_the_one_that_is_used():
    for message in order_messages():
        exchange = store.outgoing(message).exchange
        assert message.type in asyncapi.document()["channels"][exchange]["messages"]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_the_document_is_up_to_date(path: Any):
    assert path.read_text() == files()[path], "run: python manage.py asyncapi"


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_every_reference_of_the_document_leads_somewhere():
    document = yaml.safe_load(yaml.safe_dump(asyncapi.document()))

    for reference in references(document):
        part = document
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]


def test_a_subscriber_of_the_topic_finds_every_event_of_orders():
    channels = asyncapi.document()["channels"]

    assert set(channels["order_events.topic"]["messages"]) == {
        "order.placed",
        "order.confirmed",
        "order.rejected",
        "order.cancelled",
    }
    assert "order.confirmed" not in channels["order_events"]["messages"]
