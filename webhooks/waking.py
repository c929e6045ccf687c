"""When an endpoint has something to send: `next_at`, which whoever sends looks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from enum import Enum
from typing import Any

from pymongo import ReturnDocument

from runtime.mongodb_clock import EPOCH, mongodb_now
from webhooks.store import Document, deliveries, endpoints

#: Whoever has claimed an endpoint or taken a delivery, and has not settled it so long after, was
#: killed; longer than one attempt takes.
LEASE = timedelta(seconds=60)
#: Longer than a turn of all others takes, and a killed deliverer's lease.
LATE = timedelta(minutes=2)
#: An endpoint that answers is claimed again so soon, while somebody sends to it.
SOON = timedelta(milliseconds=200)

MILLISECOND = timedelta(milliseconds=1)

#: Neither before now, nor before it may get something again.
NOW: dict[str, Any] = {"$max": ["$$NOW", "$held_until"]}
#: Its last attempt was a success.
ANSWERS: dict[str, Any] = {"failures": 0, "last_success_at": {"$gt": EPOCH}}
IS_DUE: dict[str, Any] = {
    "state": "enabled",
    "next_at": {"$gt": EPOCH},
    "$expr": {"$lte": ["$next_at", "$$NOW"]},
}


class Health(Enum):
    """What is known of an endpoint."""

    #: Its last attempt was a success, and lately all of them were quick.
    WORKS = "works"
    #: Its last attempt was a success; an answer took long lately.
    SLOW = "slow"
    #: Nothing was sent to it yet.
    NEW = "new"
    #: Its last attempt failed.
    FAILS = "fails"


#: How each is found.
BY_HEALTH: Mapping[Health, dict[str, Any]] = {
    Health.WORKS: {**ANSWERS, "is_slow": {"$ne": True}},
    Health.SLOW: {**ANSWERS, "is_slow": True},
    Health.NEW: {"failures": 0, "last_success_at": None},
    Health.FAILS: {"failures": {"$gt": 0}},
}


def health_of(endpoint: Mapping[str, Any]) -> Health:
    if endpoint.get("failures"):
        return Health.FAILS
    if not endpoint.get("last_success_at"):
        return Health.NEW
    return Health.SLOW if endpoint.get("is_slow") else Health.WORKS


def wake(ids: Collection[str]) -> None:
    """Have what is due of these endpoints sent as soon as they may get something.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    change = {
        "next_at": {"$min": [{"$ifNull": ["$next_at", NOW]}, NOW]},
        # One bad document would fail this write for all of them.
        "woken": {"$add": [{"$cond": [{"$isNumber": "$woken"}, "$woken", 0]}, 1]},
    }
    # Also one that is due: whoever settles it now may have looked before.
    endpoints().update_many({"_id": {"$in": [*ids]}, "state": "enabled"}, [{"$set": change}])


def let_in(id_: str) -> None:
    """Whoever asks for something to be sent knows that the endpoint works again."""
    endpoints().update_one({"_id": id_}, {"$set": {"held_until": None, "next_at": None}})
    wake([id_])


def claim(
    full: Collection[str], busy: Collection[str], free: Collection[Health]
) -> Document | None:
    """The endpoint that has waited longest to get something; None where none waits.

    Args:
        full: endpoints to which we send as much as we may already.
        busy: those to which we send anything already; of these the ones that answer.
        free: the endpoints that there is a place for.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    may: list[dict[str, Any]] = [
        {"_id": {"$nin": [*full]}},
        {"$or": [BY_HEALTH[each] for each in free]},
    ]
    if busy:
        may.append({"$or": [{"_id": {"$nin": [*busy]}}, ANSWERS]})
    answers = {"$and": [{"$eq": ["$failures", 0]}, {"$gt": ["$last_success_at", EPOCH]}]}
    pause = {"$cond": [answers, SOON // MILLISECOND, LEASE // MILLISECOND]}
    return endpoints().find_one_and_update(
        {**IS_DUE, "$and": may},
        [{"$set": {"next_at": {"$add": ["$$NOW", pause]}}}],
        sort=[("next_at", 1)],
        return_document=ReturnDocument.AFTER,
    )


def unclaimed() -> int:
    """How many endpoints nobody sends to although something has been due for `LATE`.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    late = {"$gt": EPOCH, "$lt": mongodb_now() - LATE}
    return endpoints().count_documents({"state": "enabled", "next_at": late})


def settle(endpoint: Mapping[str, Any]) -> None:
    """Note when the endpoint has something to send next, unless it was woken since it was claimed.

    What is due already comes after what is due to all others: the place in the line is a new one.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    pending = {"endpoint": endpoint["_id"], "state": "pending"}
    first = deliveries().find_one(pending, {"due_at": True}, sort=[("due_at", 1)])
    next_at: Any = {"$max": [first["due_at"], NOW]} if first else None
    seen = {"_id": endpoint["_id"], "woken": endpoint["woken"]}
    endpoints().update_one(seen, [{"$set": {"next_at": next_at}}])
