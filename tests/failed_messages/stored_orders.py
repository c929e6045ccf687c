"""Orders as the API stores them, and their events' bodies."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from orders import placing
from orders.events import body_of
from runtime.money.price import Price

PEN = Price(Decimal("12.50"), "EUR")


def place() -> dict[str, Any]:
    """Store an order of one pen."""
    order = placing.compose(101, {"pen": 1}, {"pen": PEN})
    placing.store(order)
    return order


def placed_body(order: dict[str, Any]) -> bytes:
    """The body of the order's `order.placed`."""
    return msgspec.json.encode(body_of(order, "order.placed"))
