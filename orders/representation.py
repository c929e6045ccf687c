"""How an order looks outside: over HTTP, and as the body of its events."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from bson import Decimal128
from django.conf import settings

from messaging.money import plain


def order_json(document: dict[str, Any]) -> dict[str, Any]:
    """A stored order as it travels: camelCase, money as text with two places."""
    return {
        "orderId": str(document["_id"]),
        # msgspec doesn't know MongoDB's Int64, which holds what needs more than 32 bits.
        "userId": int(document["user_id"]),
        "items": [
            {
                "sku": line["sku"],
                "quantity": line["quantity"],
                "unitPrice": money(line["unit_price"]),
            }
            for line in document["items"]
        ],
        "total": money(document["total"]),
        "currency": document["currency"],
        "status": document["status"],
        "createdAt": document["created_at"],
    }


def address_of(order_id: str) -> str:
    """The order's path, as clients reach it."""
    return f"{settings.FORCE_SCRIPT_NAME or ''}/orders/{order_id}"


def placed_json(order: dict[str, Any]) -> dict[str, Any]:
    """The answer to whoever placed the order; `order` is its `order_json`."""
    return {"message": "Order placed successfully.", "order": order}


def order_with_ledger_json(document: dict[str, Any]) -> dict[str, Any]:
    """The order, what each service has done about it so far, and its cancellation."""
    cancellation = document.get("cancellation")
    return {
        **order_json(document),
        **({"cancellation": cancellation} if cancellation else {}),
        "updatedAt": document["updated_at"],
        "ledger": {
            service: {"state": entry["state"], "at": entry["at"], "detail": entry["detail"]}
            for service, entry in document["ledger"].items()
        },
    }


def event_json(document: dict[str, Any], type_: str) -> dict[str, Any]:
    """The body of an order's event: the order as it was when that happened.

    It does not follow the order's later status, so that a second publish of an event is equal
    to the first.
    """
    body = order_json(document) | {"status": type_.removeprefix("order.")}
    if type_ == "order.rejected":
        body["reason"] = rejection_reason(document)
    if type_ == "order.cancelled" and (reason := document["cancellation"]["reason"]):
        body["reason"] = reason
    return body


def rejection_reason(document: dict[str, Any]) -> str | None:
    """Why inventory rejected the order; a cancellation may have changed its ledger since."""
    steps = document.get("steps") or []
    details = (step["detail"] for step in steps if step["state"] == "rejected")
    # An order of an earlier release may have no steps.
    return next(details, document["ledger"]["inventory"]["detail"])


def money(amount: Decimal128) -> str:
    """`12.5` -> `"12.50"`: a float would lose cents."""
    return _money(amount.bid)


@lru_cache(maxsize=10_000)
def _money(bid: bytes) -> str:
    """Remembered by MongoDB's own bytes, as prices come back and their conversion is slow."""
    return plain(Decimal128.from_bid(bid).to_decimal())
