"""What is kept of a person here: their endpoints, and what was delivered about their orders."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from messaging.personal_data import of_orders
from runtime.admin_history import forget_names
from runtime.personal_data import ANY_PSEUDONYM, SMALLEST_PSEUDONYM, Erased, Holding, Person, hold
from webhooks.managing import delete
from webhooks.models import Endpoint
from webhooks.store import deliveries, endpoints, noted_orders

IN_DELIVERY = "they are yet to be delivered"


def export_endpoints(user_id: int) -> Iterator[dict[str, Any]]:
    yield from endpoints().find({"user_id": user_id}, {"secrets": False})


def erase_endpoints(person: Person) -> Erased:
    theirs = {"user_id": person.user_id, "created_at": {"$lte": person.until}}
    ids = [each["_id"] for each in endpoints().find(theirs, {})]
    forget_names(Endpoint, ids)
    for id_ in ids:
        delete(id_)
    return Erased(erased=len(ids))


def export_deliveries(user_id: int) -> Iterator[dict[str, Any]]:
    yield from deliveries().find({"user_id": user_id})


def erase_deliveries(person: Person) -> Erased:
    """Delete what is settled; the rest follows when it is."""
    theirs = of_orders(person, "order_id")
    erased = deliveries().delete_many({**theirs, "state": {"$ne": "pending"}}).deleted_count
    left = deliveries().count_documents(theirs)
    return Erased(erased=erased, left=left, why=IN_DELIVERY if left else "")


def export_noted(user_id: int) -> Iterator[dict[str, Any]]:
    yield from noted_orders().find({"user_id": user_id})


def erase_noted(person: Person) -> Erased:
    theirs = of_orders(person, "_id", "at")
    changed = noted_orders().update_many(theirs, {"$set": {"user_id": person.pseudonym}})
    return Erased(erased=changed.modified_count)


def forget_noted(before: datetime) -> int:
    old = {"user_id": {"$lt": SMALLEST_PSEUDONYM}, "at": {"$lt": before}}
    return noted_orders().update_many(old, [{"$set": {"user_id": ANY_PSEUDONYM}}]).modified_count


hold(
    Holding(
        "webhook endpoints", "Where they hear of their orders", export_endpoints, erase_endpoints
    )
)
hold(
    Holding(
        "webhook deliveries",
        "What was sent to endpoints about their orders",
        export_deliveries,
        erase_deliveries,
    )
)
hold(
    Holding(
        "webhook orders",
        "Which of their orders webhooks has heard of",
        export_noted,
        erase_noted,
        forget_noted,
    )
)
