"""When an endpoint has something to send: `next_at`, which whoever sends looks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pymongo import ReturnDocument

from runtime.mongodb_clock import EPOCH
from webhooks.store import Document, deliveries, endpoints

#: Whoever has claimed an endpoint or taken a delivery, and has not settled it so long after, was
#: killed; longer than one attempt takes.
LEASE_SECONDS = 60
#: An endpoint that works well is claimed again so soon, while somebody sends to it.
SOON_SECONDS = 0.2

#: Neither before now, nor before it may get something again.
NOW: dict[str, Any] = {"$max": ["$$NOW", "$held_until"]}
#: Its last attempt was a success; one that has had none yet is not known to work.
WORKS: dict[str, Any] = {"failures": 0, "last_success_at": {"$gt": EPOCH}}
IS_DUE: dict[str, Any] = {
    "state": "enabled",
    "next_at": {"$gt": EPOCH},
    "$expr": {"$lte": ["$next_at", "$$NOW"]},
}


def works(endpoint: Mapping[str, Any]) -> bool:
    """Whether its last attempt was a success."""
    return endpoint["failures"] == 0 and endpoint["last_success_at"] is not None


def wake(ids: Collection[str]) -> None:
    """Have what is due of these endpoints sent as soon as they may get something.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    change = {
        "next_at": {"$min": [{"$ifNull": ["$next_at", NOW]}, NOW]},
        "woken": {"$add": ["$woken", 1]},
    }
    # Whoever claims one that is due already finds what is there by now.
    is_due = {"$and": [{"$gt": ["$next_at", EPOCH]}, {"$lte": ["$next_at", "$$NOW"]}]}
    asleep = {"_id": {"$in": [*ids]}, "state": "enabled", "$expr": {"$not": [is_due]}}
    endpoints().update_many(asleep, [{"$set": change}])


def claim(
    full: Collection[str], busy: Collection[str], *, only_working: bool = False
) -> Document | None:
    """The endpoint that has waited longest to get something; None where none waits.

    Args:
        full: endpoints to which we send as much as we may already.
        busy: those to which we send anything already; of these the ones that work.
        only_working: those whose last attempt was a success.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    may: list[dict[str, Any]] = [{"_id": {"$nin": [*full]}}]
    if only_working:
        may.append(WORKS)
    elif busy:
        may.append({"$or": [{"_id": {"$nin": [*busy]}}, WORKS]})
    does_work = {"$and": [{"$eq": ["$failures", 0]}, {"$gt": ["$last_success_at", EPOCH]}]}
    seconds = {"$cond": [does_work, SOON_SECONDS, LEASE_SECONDS]}
    return endpoints().find_one_and_update(
        {**IS_DUE, "$and": may},
        [{"$set": {"next_at": {"$add": ["$$NOW", {"$multiply": [seconds, 1000]}]}}}],
        sort=[("next_at", 1)],
        return_document=ReturnDocument.AFTER,
    )


def settle(endpoint: Mapping[str, Any]) -> None:
    """Note when the endpoint has something to send next, unless it was woken since it was claimed.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    pending = {"endpoint": endpoint["_id"], "state": "pending"}
    first = deliveries().find_one(pending, {"due_at": True}, sort=[("due_at", 1)])
    next_at: Any = {"$max": [first["due_at"], "$held_until"]} if first else None
    seen = {"_id": endpoint["_id"], "woken": endpoint["woken"]}
    endpoints().update_one(seen, [{"$set": {"next_at": next_at}}])
