"""What is kept of a person here: their orders, with the ledger and the idempotency keys in them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from messaging.handling import retry_notes
from orders.collection import orders
from orders.models import Status
from orders.outbox.store import IS_PENDING
from orders.unanswered import IS_AWAITED
from runtime.personal_data import (
    ANY_PSEUDONYM,
    SMALLEST_PSEUDONYM,
    Erased,
    Holding,
    Person,
    hold,
    scrubbed,
)

#: What others wrote into the order.
TOLD = ("ledger", "steps", "notes")
#: The customer's own words, which may say anything about them.
WORDS = {"cancellation.reason": None}
#: They name the user, or are made of what the user sent.
KEYS = ("idempotency_key", "request_fingerprint")


def export(user_id: int) -> Iterator[dict[str, Any]]:
    for order in orders().find({"user_id": user_id}):
        yield {**order, "retries": retry_notes.of_order(str(order["_id"]))}


def erase(person: Person) -> Erased:
    """Put the pseudonym into orders whose events are all published; the others wait for that."""
    theirs = {"user_id": person.user_id, "created_at": {"$lte": person.until}}
    erased = sum(_erase(order, person) for order in orders().find(theirs))
    left = orders().count_documents(theirs)
    why = "events of theirs are yet to be published" if left else ""
    return Erased(erased=erased, left=left, why=why)


def _erase(order: dict[str, Any], person: Person) -> int:
    # They are kept for days alone, and say what an error said.
    retry_notes.forget(str(order["_id"]))
    told = {name: scrubbed(order[name], person) for name in TOLD if order.get(name)}
    words = WORDS if order.get("cancellation") else {}
    changed = orders().update_one(
        {"_id": order["_id"], "version": order["version"], "$nor": [IS_PENDING]},
        {
            "$set": {"user_id": person.pseudonym, **told, **words},
            "$unset": dict.fromkeys(KEYS, ""),
        },
    )
    return changed.modified_count


def forget(before: datetime) -> int:
    """Orders that came to an end before then, each with a pseudonym of its own."""
    settled = {
        "user_id": {"$lt": SMALLEST_PSEUDONYM},
        "updated_at": {"$lt": before},
        "status": {"$ne": Status.PLACED},
        # A shipped one may still wait for its invoice, which needs the customer.
        "$nor": [IS_PENDING, {"status": Status.SHIPPED, **IS_AWAITED}],
    }
    orders().update_many({**settled, "cancellation": {"$type": "object"}}, {"$set": WORDS})
    put: list[dict[str, Any]] = [{"$set": {"user_id": ANY_PSEUDONYM}}, {"$unset": list(KEYS)}]
    return orders().update_many(settled, put).modified_count


hold(Holding("orders", "What they ordered, and what became of it", export, erase, forget))
