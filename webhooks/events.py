"""The event that webhooks publishes, so that an order's ledger shows that it was heard of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from messaging.fields import OrderId, UserId
from messaging.message import Message, event


class WebhooksNoted(Struct, rename="camel"):
    """What the order's `order.placed` is to be delivered to is noted; it may be nothing."""

    order_id: OrderId
    user_id: UserId


def noted(record: Mapping[str, Any]) -> Message:
    """The event of an order that is recorded; every publish of it has the same id."""
    return event(noted_body(record), record["_id"], at=record["at"])


def noted_body(record: Mapping[str, Any]) -> WebhooksNoted:
    return WebhooksNoted(order_id=record["_id"], user_id=int(record["user_id"]))
