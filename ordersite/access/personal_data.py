"""What is kept of a person here: the keys that are theirs, and what was done with those."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.db import connection
from pymongo.collection import Collection

from failed_messages.models import AuditEntry, Subject
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


def clients_of(user_ids: list[int]) -> list[str]:
    """The ids of the customers' clients, as `Caller.id` has them."""
    found: list[str] = _keys().distinct("client", {"user_id": {"$in": user_ids}})
    return [f"key:{each}" for each in found]


def export_acts(user_id: int) -> Iterator[dict[str, Any]]:
    yield from _audit().find(_about([user_id]))


def erase_acts(person: Person) -> Erased:
    """What the audit log calls the keys, and whoever acts with one."""
    erased = 0
    for entry in _audit().find(_about([person.user_id, person.pseudonym])):
        change = {"by": nameless(entry["by"]), "after": nameless_key(entry)}
        if change.items() <= entry.items():
            continue
        erased += _audit().update_one({"_id": entry["_id"]}, {"$set": change}).modified_count
    return Erased(erased=erased)


def _about(user_ids: list[int]) -> dict[str, Any]:
    """Finds what was done to these customers' keys, and with them."""
    ids = [str(each["_id"]) for each in _keys().find({"user_id": {"$in": user_ids}}, {"_id": True})]
    # A regular expression that begins so uses the index.
    with_them = [{"by": {"$regex": f"^key {each} of "}} for each in ids]
    return {"$or": [{"subject": Subject.KEY, "subject_id": {"$in": ids}}, *with_them]}


def nameless(by: str) -> str:
    """`key 0123456789abcdef of erased`, of whoever acted with a key."""
    key, of, _ = by.partition(" of ")
    return f"{key}{of}{NAMELESS}" if of and key.startswith("key ") else by


def nameless_key(entry: dict[str, Any]) -> str:
    """What an entry keeps of a key, without what the key was called."""
    kept: dict[str, Any] = json.loads(entry["after"])
    is_named = entry["subject"] == Subject.KEY and "name" in kept
    return json.dumps({**kept, "name": NAMELESS}) if is_named else str(entry["after"])


def _audit() -> Collection[dict[str, Any]]:
    collection: Collection[dict[str, Any]] = connection.database[AuditEntry._meta.db_table]
    return collection


def _keys() -> Collection[dict[str, Any]]:
    collection: Collection[dict[str, Any]] = connection.database[ApiKey._meta.db_table]
    return collection


hold(Holding("API keys", "The keys of theirs, without their secrets", export, erase))
hold(
    Holding("acts with keys", "What was done with those keys, and to them", export_acts, erase_acts)
)
