"""Which events happened to orders, for messages of an unknown publisher."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from messaging.order_id import object_id
from orders.collection import orders
from orders.events import REJECTED_BY, Order, body_of

#: The steps by which an order becomes that; of those beside one another the first that was noted.
DECIDED_BY = {
    "order.rejected": ((REJECTED_BY,),),
    "order.confirmed": (
        (("inventory", "reserved"), ("inventory", "shipped")),
        (("billing", "invoiced"),),
    ),
}


def bodies(type_: str, order_ids: Collection[str]) -> dict[str, Order]:
    """The bodies of this type's events, by order id; nothing for those that never happened."""
    ids = [key for each in order_ids if (key := object_id(each))]
    found = orders().find({"_id": {"$in": ids}})
    return {str(each["_id"]): body_of(each, type_) for each in found if happened(each, type_)}


def happened(order: dict[str, Any], type_: str) -> bool:
    """Whether this event of the order was ever due; a cancellation may have come after it."""
    match type_:
        case "order.placed":
            return True
        case "order.cancelled":
            return "cancellation" in order
        case "order.rejected":
            return order["status"] == "rejected" or decided_by(order, type_) is not None
        case "order.confirmed":
            return order["status"] == "confirmed" or decided_by(order, type_) is not None
    return False


def decided_by(document: dict[str, Any], type_: str) -> int | None:
    """The place of the step by which the order became what the event says; None if it has none."""
    noted = [(step["service"], step["state"]) for step in document.get("steps") or ()]
    firsts = []
    for alternatives in DECIDED_BY[type_]:
        places = [noted.index(each) for each in alternatives if each in noted]
        if not places:
            return None
        firsts.append(min(places))
    return max(firsts)
