"""What webhooks needs to know of an event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from messaging import body
from messaging.incoming_fields import OrderId, UserId
from messaging.order_id import of_message

EXAMPLE = '{"orderId": "6743…", "userId": 101}'


class _Event(Struct, rename="camel"):
    order_id: OrderId
    user_id: UserId


class About(Struct, frozen=True):
    """Whose order an event is about."""

    order_id: str
    user_id: int
    #: The header fields of the trace that the event is a part of; empty where none is recorded.
    trace: Mapping[str, str] = {}


def read(event: Mapping[str, Any]) -> About:
    """Raises InvalidMessage: names the field and shows a right body."""
    told = body.read(event, _Event, example=EXAMPLE)
    return About(of_message(told.order_id, example=EXAMPLE), told.user_id)
