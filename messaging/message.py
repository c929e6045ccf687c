"""The envelope: an event's body and the AMQP properties that it travels with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct, field

CONTENT_TYPE = "application/json"


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
    #: Further AMQP properties that a foreign publisher set, see `messaging.kept`.
    others: Mapping[str, str | int] = field(default_factory=dict)


def event(
    type_: str,
    body: Mapping[str, Any],
    *,
    message_id: str,
    correlation_id: str = "",
    headers: Mapping[str, Any] | None = None,
    version: int = 1,
) -> Message:
    """Make the message of one event; `version` is that of its body, see `messaging.published`.

    `body` is a JSON object in camelCase whose values msgspec can encode (a Decimal becomes
    a string, a datetime RFC 3339 text).
    """
    return Message(
        body=msgspec.json.encode(body),
        type=type_,
        message_id=message_id,
        correlation_id=correlation_id,
        headers={"schema-version": version, **(headers or {})},
    )
