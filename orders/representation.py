"""An order as JSON."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from orders.answers import Order, OrderWithLedger, PlacedOrder
from runtime.moment import for_programs, or_null
from runtime.money.amounts import text_of
from runtime.requests.number import text_if_large

#: What `order_json` reads; a stored order has several times as much.
ORDER_FIELDS = ("user_id", "items", "total", "currency", "status", "created_at")


def order_json(document: dict[str, Any]) -> Order:
    """A stored order as it travels: camelCase, money as text with its currency's decimals."""
    currency = document["currency"]
    shown: Order = {
        "orderId": str(document["_id"]),
        # msgspec doesn't know MongoDB's Int64, which holds what needs more than 32 bits.
        "userId": int(document["user_id"]),
        "items": [
            {
                "sku": line["sku"],
                "quantity": line["quantity"],
                "unitPrice": text_of(line["unit_price"], currency),
            }
            for line in document["items"]
        ],
        "total": text_of(document["total"], currency),
        "currency": currency,
        "status": document["status"],
        "createdAt": for_programs(document["created_at"]),
    }
    if text := text_if_large(shown["userId"]):
        shown["userIdText"] = text
    return shown


def address_of(order_id: str) -> str:
    """The order's path, as clients reach it."""
    return f"{settings.FORCE_SCRIPT_NAME or ''}/orders/{order_id}"


def placed_json(order: Order) -> PlacedOrder:
    """The answer to the client that placed the order; `order` is its `order_json`."""
    return {"message": "Order placed successfully.", "order": order}


def order_with_ledger_json(document: dict[str, Any]) -> OrderWithLedger:
    """The order, what each service has done about it so far, and its cancellation."""
    shown: OrderWithLedger = {
        **order_json(document),
        "updatedAt": for_programs(document["updated_at"]),
        "ledger": {
            service: {
                "state": entry["state"],
                "at": or_null(entry["at"]),
                "detail": entry["detail"],
            }
            for service, entry in document["ledger"].items()
        },
    }
    if cancellation := document.get("cancellation"):
        shown["cancellation"] = {
            "at": for_programs(cancellation["at"]),
            "reason": cancellation["reason"],
        }
    return shown
