"""The events that inventory publishes about an order's stock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from messaging.fields import OrderId, Quantity, Sku, UserId
from messaging.message import NO_HEADERS, Message, event


class StockLine(Struct):
    """Units of one SKU."""

    sku: Sku
    quantity: Quantity


class Shortage(Struct):
    """More of a SKU was asked than was available."""

    sku: Sku
    asked: int
    available: int


class Stock(Struct, rename="camel"):
    order_id: OrderId
    user_id: UserId
    items: list[StockLine]


class InventoryReserved(Stock):
    """Every item of the order is reserved for it."""


class InventoryRejected(Stock):
    """Some item is out of stock, so nothing is reserved for the order."""

    reason: str
    shortages: list[Shortage]


class InventoryReleased(Stock):
    """The order was cancelled: what was reserved for it is available again."""


class InventoryShipped(Stock):
    """The order's items have left the house."""


#: As `inventory.reserving` stores it.
Reservation = Mapping[str, Any]

BY_STATE = {
    "reserved": InventoryReserved,
    "released": InventoryReleased,
    "shipped": InventoryShipped,
}


def answered(reservation: Reservation) -> Message:
    """The event of a recorded reservation: `inventory.reserved`, `.rejected` or `.released`.

    `inventory.shipped` where an order's event is delivered again after that; every publish of
    that one is the same.
    """
    return event(body_of(reservation), reservation["_id"], at=reservation.get("shipped_at"))


def shipped(reservation: Reservation) -> Message:
    """The event of a shipment that waits, in the trace of the request that shipped."""
    return event(
        body_of(reservation),
        reservation["_id"],
        at=reservation["shipped_at"],
        headers=reservation.get("trace", NO_HEADERS),
    )


def body_of(reservation: Reservation, state: str = "") -> Stock:
    """The body of the event of this state; of the one that the reservation is in by default."""
    order_id = reservation["_id"]
    # int(): JSON encoders don't know MongoDB's Int64, which holds what needs more than 32 bits.
    user_id = int(reservation["user_id"])
    items = [StockLine(line["sku"], int(line["quantity"])) for line in reservation["items"]]
    state = state or reservation["state"]
    if state != "rejected":
        return BY_STATE[state](order_id, user_id, items)
    shortages = [
        Shortage(each["sku"], int(each["asked"]), int(each["available"]))
        for each in reservation["shortages"]
    ]
    return InventoryRejected(order_id, user_id, items, reason_of(shortages), shortages)


def reason_of(shortages: Iterable[Shortage]) -> str:
    short = (f"{each.sku} ({each.asked} asked, {each.available} available)" for each in shortages)
    return f"Out of stock: {', '.join(short)}"
