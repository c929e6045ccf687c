"""What is kept of a person here: answers about their orders, for some hours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ordersite.access.personal_data import clients_of
from ordersite.keyed_requests.store import keyed_requests
from runtime.personal_data import Erased, Holding, Person, hold


def export(user_id: int) -> Iterator[dict[str, Any]]:
    shown = {"_id": False, "body": True, "claimed_at": True, "expires_at": True}
    yield from keyed_requests().find(about(user_id), shown)


def erase(person: Person) -> Erased:
    """Delete the answers that there were up to then; their keys are free again."""
    theirs = {**about(person.user_id, person.pseudonym), "claimed_at": {"$lte": person.until}}
    return Erased(erased=keyed_requests().delete_many(theirs).deleted_count)


def about(user_id: int, *pseudonyms: int) -> dict[str, Any]:
    """Finds the answers that name the user, and those to their own keys."""
    clients = clients_of([user_id, *pseudonyms])
    own = [{"_id": {"$gt": f"{each}:", "$lt": f"{each};"}} for each in clients]
    # An access token's have the customer's number in them (`Caller.owner_of_keys`).
    by_token = {"_id": {"$regex": rf"^token:[0-9a-f]{{32}}:{user_id}:"}}
    return {"$or": [{"body": {"$regex": rf'"userId": ?"?{user_id}\b'}}, by_token, *own]}


hold(Holding("answers", "Answers to requests with an Idempotency-Key", export, erase))
