"""A message: an event's body with its AMQP properties."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from messaging.service import events_by_body

CONTENT_TYPE = "application/json"
NO_HEADERS: Mapping[str, Any] = {}


class Message(Struct, frozen=True):
    """One message as it is published.

    The metadata lives in AMQP's own properties; the body is the event's JSON alone.
    """

    #: The JSON object as UTF-8 bytes.
    body: bytes
    #: The event's type, e.g. `order.placed`; also the routing key on topic exchanges.
    type: str
    #: The event's id, the same over every retry, redelivery and replay.
    message_id: str
    #: The order that all messages of one journey share; empty where there is none.
    correlation_id: str = ""
    #: When the event happened, to the second (AMQP's resolution).
    timestamp: datetime = field(default_factory=lambda: datetime.now(UTC))
    headers: Mapping[str, Any] = field(default_factory=dict)
    content_type: str = CONTENT_TYPE
    #: Further AMQP properties that a foreign publisher set, see `messaging.kept_headers`.
    others: Mapping[str, str | int] = field(default_factory=dict)


def event(
    body: Struct,
    order_id: str,
    *,
    at: datetime | None = None,
    headers: Mapping[str, Any] = NO_HEADERS,
) -> Message:
    """Make the message of an event that a service declares; every one of an order has the same id.

    Args:
        body: an instance of the `body` of one of the service's events.
        order_id: the order that it is about.
        at: when it happened; now where that is not known.
        headers: beside `schema-version`.

    Raises:
        KeyError: no service declares such an event.
    """
    declared = events_by_body()[type(body)]
    return Message(
        body=msgspec.json.encode(body),
        type=declared.type,
        message_id=f"{declared.type}:{order_id}",
        correlation_id=order_id,
        timestamp=at or datetime.now(UTC),
        headers={"schema-version": declared.version, **headers},
    )
