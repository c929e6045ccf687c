"""Which events happened to orders, for messages of an unknown publisher."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from messaging.order_id import object_id
from orders.collection import orders
from orders.events import Order, body_of


def bodies(type_: str, order_ids: Collection[str]) -> dict[str, Order]:
    """The bodies of this type's events, by order id; nothing for those that never happened."""
    ids = [key for each in order_ids if (key := object_id(each))]
    found = orders().find({"_id": {"$in": ids}})
    return {str(each["_id"]): body_of(each, type_) for each in found if happened(each, type_)}


def happened(order: dict[str, Any], type_: str) -> bool:
    """Whether this event of the order was ever due; a cancellation may have come after it."""
    heard = {(step["service"], step["state"]) for step in order.get("steps") or ()}
    match type_:
        case "order.placed":
            return True
        case "order.cancelled":
            return "cancellation" in order
        case "order.rejected":
            return order["status"] == "rejected" or ("inventory", "rejected") in heard
        case "order.confirmed":
            has_goods = {("inventory", "reserved"), ("inventory", "shipped")} & heard
            is_confirmed = bool(has_goods) and ("billing", "invoiced") in heard
            return is_confirmed or order["status"] == "confirmed"
    return False
