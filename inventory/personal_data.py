"""What is kept of a person here: what was reserved for their orders."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from inventory.reserving import reservations
from messaging.personal_data import of_orders
from runtime.personal_data import ANY_PSEUDONYM, SMALLEST_PSEUDONYM, Erased, Holding, Person, hold


def export(user_id: int) -> Iterator[dict[str, Any]]:
    yield from reservations().find({"user_id": user_id})


def erase(person: Person) -> Erased:
    changed = reservations().update_many(of_orders(person), {"$set": {"user_id": person.pseudonym}})
    return Erased(erased=changed.modified_count)


def forget(before: datetime) -> int:
    """What is no longer reserved."""
    settled = {
        "user_id": {"$lt": SMALLEST_PSEUDONYM},
        "created_at": {"$lt": before},
        "state": {"$ne": "reserved"},
    }
    return (
        reservations().update_many(settled, [{"$set": {"user_id": ANY_PSEUDONYM}}]).modified_count
    )


hold(
    Holding(
        "reservations", "What was reserved of the stock for their orders", export, erase, forget
    )
)
