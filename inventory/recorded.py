"""Which events of reservations happened, for messages of an unknown publisher."""

from __future__ import annotations

from collections.abc import Collection

from inventory.events import Stock, body_of
from inventory.reserving import Reservation, reservations


def bodies(type_: str, order_ids: Collection[str]) -> dict[str, Stock]:
    """The bodies of this type's events, by order id; nothing for those that never happened."""
    state = type_.partition(".")[2]
    found = reservations().find({"_id": {"$in": [*order_ids]}})
    return {each["_id"]: body_of(each, state) for each in found if was_once(each, state)}


def was_once(reservation: Reservation, state: str) -> bool:
    """Whether the reservation is in this state, or was before it was shipped or released."""
    now = reservation["state"]
    if now == "released" and state in ("reserved", "rejected"):
        return bool(reservation["shortages"]) == (state == "rejected")
    return now == state or (now == "shipped" and state == "reserved")
