"""What is kept of a person here: answers about their orders, for some hours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ordersite.keyed_requests.store import keyed_requests
from runtime.personal_data import Erased, Holding, Person, hold


def export(user_id: int) -> Iterator[dict[str, Any]]:
    shown = {"_id": False, "body": True, "claimed_at": True, "expires_at": True}
    yield from keyed_requests().find(about(user_id), shown)


def erase(person: Person) -> Erased:
    """Delete the answers that there were up to then; their keys are free again."""
    theirs = {**about(person.user_id), "claimed_at": {"$lte": person.until}}
    return Erased(erased=keyed_requests().delete_many(theirs).deleted_count)


def about(user_id: int) -> dict[str, Any]:
    """Finds the answers that name the user."""
    return {"body": {"$regex": rf'"userId": ?"?{user_id}\b'}}


hold(Holding("answers", "Answers to requests with an Idempotency-Key", export, erase))
