"""Orders for billing's tests."""

from __future__ import annotations

from typing import Any


def placed(order_id: str | int = "6743f0a1", **fields: Any) -> dict[str, Any]:
    """The body of an `order.placed`: two pens at 12.50 and a book at 0.99."""
    items = [
        {"sku": "pen", "quantity": 2, "unitPrice": "12.50"},
        {"sku": "book", "quantity": 1, "unitPrice": "0.99"},
    ]
    return {"orderId": order_id, "userId": 101, "items": items, "status": "placed"} | fields


def rejected(order_id: str | int = "6743f0a1", **fields: Any) -> dict[str, Any]:
    """The body of an `order.rejected`."""
    return placed(order_id, status="rejected", reason="Out of stock") | fields


def cancelled(order_id: str | int = "6743f0a1", **fields: Any) -> dict[str, Any]:
    """The body of an `order.cancelled`."""
    return placed(order_id, status="cancelled") | fields
