"""What is kept of a person here: the keys that are theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection
from pymongo.collection import Collection

from ordersite.access.models import ApiKey
from runtime.admin_history import NAMELESS, forget_names
from runtime.mongodb_clock import mongodb_now
from runtime.personal_data import Erased, Holding, Person, hold


def export(user_id: int) -> Iterator[dict[str, Any]]:
    """Without the digest, by which a key could be tried."""
    yield from _keys().find({"user_id": user_id}, {"digest": False})


def erase(person: Person) -> Erased:
    """End the keys that there were up to then, and forget whose they were."""
    theirs = {"user_id": person.user_id, "created_at": {"$lte": person.until}}
    active = {**theirs, "revoked_at": None}
    _keys().update_many(active, {"$set": {"revoked_at": mongodb_now(), "revoked_by": NAMELESS}})
    forget_names(ApiKey, [each["_id"] for each in _keys().find(theirs, {"_id": True})])
    nameless = {"user_id": person.pseudonym, "name": NAMELESS}
    changed = _keys().update_many(theirs, {"$set": nameless})
    return Erased(erased=changed.modified_count)


def _keys() -> Collection[dict[str, Any]]:
    collection: Collection[dict[str, Any]] = connection.database[ApiKey._meta.db_table]
    return collection


hold(Holding("API keys", "The keys of theirs, without their secrets", export, erase))
