"""The ledger: for each order, what inventory and billing have done about it.

Their events arrive in any order and more than once. A state only ever moves forward in its
service's sequence, and the order's status follows from the two states alone; so every order of
arrival ends the same, and a duplicate changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne

from messaging.errors import PermanentError
from orders.collection import orders
from orders.placing import now_in_milliseconds

#: What a service can say about an order; a later state stands over the ones before it.
SEQUENCES = {
    "inventory": ("pending", "reserved", "rejected"),
    "billing": ("pending", "invoiced", "credited"),
}

IS_REJECTED = {"$eq": ["$ledger.inventory.state", "rejected"]}
IS_CONFIRMED = {
    "$and": [
        {"$eq": ["$ledger.inventory.state", "reserved"]},
        {"$eq": ["$ledger.billing.state", "invoiced"]},
    ]
}
STATUS = {"$cond": [IS_REJECTED, "rejected", {"$cond": [IS_CONFIRMED, "confirmed", "placed"]}]}
BECOMES_REJECTED = {"$and": [IS_REJECTED, {"$ne": ["$status", "rejected"]}]}


def record(order_id: str, service: str, state: str, detail: str | None = None) -> None:
    """Note that the service has brought the order to this state.

    One conditional update: the entry, the status, the version, and the event that a rejection
    makes pending are stored together, or there is nothing new and nothing is stored.

    Raises:
        PermanentError: orders never took such an order.
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    if not ObjectId.is_valid(order_id):
        raise never_taken(order_id)
    result = orders().update_one(
        moves_forward(order_id, service, state), change(order_id, service, state, detail)
    )
    if not result.matched_count and not known([order_id]):
        raise never_taken(order_id)


def record_many(details: Mapping[str, str | None], service: str, state: str) -> dict[str, bool]:
    """Note that the service has brought many orders to this state, in one bulk write.

    `details` is by order id. Returns for each order id whether orders knows the order.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer, or refused a write.
    """
    ids = [order_id for order_id in details if ObjectId.is_valid(order_id)]
    updates = [
        UpdateOne(
            moves_forward(order_id, service, state),
            change(order_id, service, state, details[order_id]),
        )
        for order_id in ids
    ]
    matched_count = orders().bulk_write(updates, ordered=False).matched_count if ids else 0
    noted = set(ids) if matched_count == len(ids) else known(ids)
    return {order_id: order_id in noted for order_id in details}


def moves_forward(order_id: str, service: str, state: str) -> dict[str, Any]:
    """Finds the order where it has not been brought so far yet."""
    earlier = SEQUENCES[service][: SEQUENCES[service].index(state)]
    return {"_id": ObjectId(order_id), f"ledger.{service}.state": {"$in": earlier}}


def known(order_ids: Sequence[str]) -> set[str]:
    """Those of the orders that orders has taken."""
    found = orders().find({"_id": {"$in": [ObjectId(each) for each in order_ids]}}, {"_id": 1})
    return {str(order["_id"]) for order in found}


def change(order_id: str, service: str, state: str, detail: str | None) -> list[dict[str, Any]]:
    """The pipeline that writes an entry and everything that follows from it."""
    now = now_in_milliseconds()
    entry = {
        "state": state,
        "at": now,
        "message_id": f"{service}.{state}:{order_id}",
        "detail": detail,
    }
    return [
        {
            "$set": {
                f"ledger.{service}": {"$literal": entry},
                "version": {"$add": ["$version", 1]},
                "updated_at": now,
            }
        },
        # Within one stage `$status` is still the old one.
        {"$set": {"status": STATUS, **pending_rejection(order_id, now)}},
    ]


def pending_rejection(order_id: str, now: datetime) -> dict[str, Any]:
    """Puts `order.rejected` into the outbox, once: a rejected order stays rejected."""
    rejection = {
        "id": f"order.rejected:{order_id}",
        "type": "order.rejected",
        "version": "$version",
        "at": now,
    }
    appended = {"$concatArrays": ["$pending_events", [rejection]]}
    oldest = {"$ifNull": ["$pending_since", now]}
    return {
        "pending_events": {"$cond": [BECOMES_REJECTED, appended, "$pending_events"]},
        "pending_since": {"$cond": [BECOMES_REJECTED, oldest, "$pending_since"]},
    }


def never_taken(order_id: str) -> PermanentError:
    return PermanentError(
        f"Orders never took order {order_id[:100]!r}, so it has no ledger to note this in. A "
        "foreign publisher made it: what inventory or billing did for it stands. Discard this."
    )
