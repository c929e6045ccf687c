"""The events of orders: each is the order as it was when something happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from messaging.fields import Currency, Money, OrderId, Quantity, Sku, UserId
from runtime.moment import Moment, for_programs
from runtime.money.amounts import text_of

#: The step that rejects an order; a service of another state of this name rejects none.
REJECTED_BY = ("inventory", "rejected")


class OrderLine(Struct, rename="camel"):
    """Units of one SKU at the price of the catalogue when the order was placed."""

    sku: Sku
    quantity: Quantity
    unit_price: Money


class Order(Struct, rename="camel"):
    order_id: OrderId
    user_id: UserId
    items: list[OrderLine]
    total: Money
    currency: Currency
    created_at: Moment


class OrderPlaced(Order, kw_only=True):
    """A customer has placed the order; inventory and billing act on it."""

    status: Literal["placed"]


class OrderConfirmed(Order, kw_only=True):
    """Inventory has reserved the order's items and billing has issued its invoice."""

    status: Literal["confirmed"]


class OrderRejected(Order, kw_only=True):
    """Inventory could not reserve the order's items; billing credits it."""

    status: Literal["rejected"]
    reason: str | None


class OrderCancelled(Order, kw_only=True):
    """The order was cancelled before it was shipped; inventory releases and billing credits it."""

    status: Literal["cancelled"]
    reason: str | UnsetType = UNSET


def body_of(document: Mapping[str, Any], type_: str) -> Order:
    """The body of an event of a stored order.

    It does not follow the order's later status, so that a second publish of an event is equal
    to the first.
    """
    currency = document["currency"]
    about: dict[str, Any] = {
        "order_id": str(document["_id"]),
        # msgspec doesn't know MongoDB's Int64, which holds what needs more than 32 bits.
        "user_id": int(document["user_id"]),
        "items": [
            OrderLine(line["sku"], line["quantity"], text_of(line["unit_price"], currency))
            for line in document["items"]
        ],
        "total": text_of(document["total"], currency),
        "currency": currency,
        "created_at": for_programs(document["created_at"]),
    }
    match type_:
        case "order.placed":
            return OrderPlaced(**about, status="placed")
        case "order.confirmed":
            return OrderConfirmed(**about, status="confirmed")
        case "order.rejected":
            return OrderRejected(**about, status="rejected", reason=rejection_reason(document))
    reason = document["cancellation"]["reason"] or UNSET
    return OrderCancelled(**about, status="cancelled", reason=reason)


def rejection_reason(document: Mapping[str, Any]) -> str | None:
    """Why inventory rejected the order; a cancellation may have changed its ledger since."""
    steps = document.get("steps") or []
    details = (step["detail"] for step in steps if (step["service"], step["state"]) == REJECTED_BY)
    # An order of an earlier release may have no steps.
    return next(details, document["ledger"]["inventory"]["detail"])
