"""Messages as orders publishes them, with a body of the test's own."""

from __future__ import annotations

from typing import Any

import msgspec

from messaging.message import Message


def order_placed(order_id: str, **fields: Any) -> Message:
    """An `order.placed` whose body has the order's id and these fields."""
    return Message(
        body=msgspec.json.encode({"orderId": order_id, **fields}),
        type="order.placed",
        message_id=f"order.placed:{order_id}",
        correlation_id=order_id,
        headers={"schema-version": 1, "order-version": 1},
    )
