"""What inventory tells the other services."""

from __future__ import annotations

from msgspec.structs import replace

from inventory.reserving import Reservation
from messaging.message import Message, event


def answered(reservation: Reservation) -> Message:
    """The event of a recorded reservation: `inventory.reserved`, `.rejected` or `.released`.

    `inventory.shipped` where an order's event is delivered again after that.
    """
    order_id, state = reservation["_id"], reservation["state"]
    # int(): JSON encoders don't know MongoDB's Int64, which holds what needs more than 32 bits.
    body = {
        "orderId": order_id,
        "userId": int(reservation["user_id"]),
        "items": [
            {"sku": line["sku"], "quantity": int(line["quantity"])} for line in reservation["items"]
        ],
    }
    if state == "rejected":
        body |= {"reason": _reason(reservation), "shortages": reservation["shortages"]}
    type_ = f"inventory.{state}"
    return event(type_, body, message_id=f"{type_}:{order_id}", correlation_id=order_id)


def shipped(reservation: Reservation) -> Message:
    """The `inventory.shipped` event; every publish of it is the same."""
    return replace(answered(reservation), timestamp=reservation["shipped_at"])


def _reason(reservation: Reservation) -> str:
    short = (
        f"{shortage['sku']} ({shortage['asked']} asked, {shortage['available']} available)"
        for shortage in reservation["shortages"]
    )
    return f"Out of stock: {', '.join(short)}"
