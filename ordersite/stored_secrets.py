"""Every secret that MongoDB keeps encrypted, and encrypting all of them with another key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from pymongo.collection import Collection

from ordersite.staff.second_factor import factors
from runtime.stored_secret import UnreadableSecret, reencrypted
from webhooks.store import endpoints


class Kept(NamedTuple):
    """Where secrets are."""

    name: str
    collection: Callable[[], Collection[dict[str, Any]]]
    field: str
    #: What the field is to be; raises UnreadableSecret.
    anew: Callable[[Any], Any]


class Outcome(NamedTuple):
    """Of the documents of one collection."""

    name: str
    #: Those that the first of the keys had not.
    encrypted: int
    #: With none of the keys.
    unreadable: int


def each_anew(secrets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "value": reencrypted(each["value"])} for each in secrets]


KEPT = (
    Kept("second factors of the staff", factors, "secret", reencrypted),
    Kept("webhook endpoints", endpoints, "secrets", each_anew),
)


def encrypt_all() -> list[Outcome]:
    """Encrypt each with the first of the keys, also those that were stored in clear.

    What that one has encrypted already stays as it is. What changes meanwhile is encrypted by
    whoever changes it.
    """
    return [Outcome(kept.name, *_encrypt(kept)) for kept in KEPT]


def unreadable() -> Iterator[tuple[str, int]]:
    """How many none of the keys has encrypted, by what they are; nothing where all can be read."""
    for kept in KEPT:
        found = kept.collection().find({}, {kept.field: True})
        if count := sum(_anew(kept, each) is None for each in found):
            yield kept.name, count


def _encrypt(kept: Kept) -> tuple[int, int]:
    counts = [0, 0]
    for stored in kept.collection().find({}, {kept.field: True}):
        new = _anew(kept, stored)
        if new == stored[kept.field]:
            continue
        counts[new is None] += 1
        if new is not None:
            same = {"_id": stored["_id"], kept.field: stored[kept.field]}
            kept.collection().update_one(same, {"$set": {kept.field: new}})
    return counts[0], counts[1]


def _anew(kept: Kept, stored: dict[str, Any]) -> Any:
    """None where it cannot be read."""
    try:
        return kept.anew(stored[kept.field])
    except UnreadableSecret:
        return None
