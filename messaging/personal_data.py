"""Which records are about a person's orders, also where the message of the order comes late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bson import ObjectId

from runtime.personal_data import Person


def of_orders(person: Person, order_id: str = "_id", at: str = "created_at") -> dict[str, Any]:
    """Finds records of the user about orders that were placed up to `person.until`.

    An order's id begins with its time, so that a record made later is still known for one.

    Args:
        order_id, at: the fields that hold the order's id, and when the record was made.
    """
    of_then = {order_id: placed_by_then(person)}
    return {"user_id": person.user_id, "$or": [{at: {"$lte": person.until}}, of_then]}


def placed_by_then(person: Person) -> dict[str, Any]:
    """Finds ids of orders that were placed up to the second of `person.until`."""
    next_second = ObjectId.from_datetime(person.until + timedelta(seconds=1))
    return {"$regex": "^[0-9a-f]{24}$", "$lt": str(next_second)}
