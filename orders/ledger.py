"""The ledger: for each order, what every service has done about it.

Their events arrive in any order and more than once. A state only ever moves forward in its
service's sequence, and the order's status follows from the two states and its cancellation
alone; so every order of arrival ends the same, and a duplicate changes nothing. Beside the states
the order keeps every step that it has heard of, each once, for its timeline.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId

from messaging.errors import PermanentError
from messaging.order_id import object_id
from messaging.service import services
from orders.collection import orders
from orders.owed import UNHEARD, ended_by, ledger_at_first, owed_after, since, state_in, waits
from runtime.milliseconds import now_in_milliseconds
from runtime.tracing.mongodb import calling

#: As text, in an expression of an update.
ORDER_ID = {"$toString": "$_id"}

#: Of the two that confirm an order, the one that may come after its shipment.
INVOICED = "billing.invoiced"

#: How the error of an answer about an unknown order begins.
NEVER_TAKEN = "Orders never took"

#: Set by `orders.cancelling`; whatever the services say later.
IS_CANCELLED = {"$eq": ["$status", "cancelled"]}
IS_REJECTED = {"$eq": ["$ledger.inventory.state", "rejected"]}
IS_CONFIRMED = {
    "$and": [
        {"$in": ["$ledger.inventory.state", ["reserved", "shipped"]]},
        {"$eq": ["$ledger.billing.state", "invoiced"]},
    ]
}
#: Noted by `orders.shipment` at once, and by an earlier release only with the service's event.
IS_SHIPPED = {
    "$or": [
        {"$eq": ["$ledger.inventory.state", "shipped"]},
        {"$gt": ["$shipped_at", None]},
    ]
}
STATUS = {
    "$switch": {
        "branches": [
            {"case": IS_CANCELLED, "then": "cancelled"},
            {"case": IS_REJECTED, "then": "rejected"},
            {"case": IS_SHIPPED, "then": "shipped"},
            {"case": IS_CONFIRMED, "then": "confirmed"},
        ],
        "default": "placed",
    }
}


def record(
    order_id: str, service: str, state: str, detail: str | None = None, attempt: int = 1
) -> None:
    """Note that the service has brought the order to this state, after so many attempts.

    Raises:
        PermanentError: orders never took such an order.
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    if not record_many({order_id: detail}, service, state, attempt)[order_id]:
        raise never_taken(order_id)


def record_many(
    details: Mapping[str, str | None], service: str, state: str, attempt: int = 1
) -> dict[str, bool]:
    """Note that the service has brought these orders to this state, in one update.

    For each order the step, the entry, the status, the version, and the event that a confirmation
    or a rejection makes pending are stored together, or there is nothing new and nothing is
    stored. `details` is by order id. Returns for each order id whether orders knows the order.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    ids = {order_id: key for order_id in details if (key := object_id(order_id))}
    if not ids:
        return dict.fromkeys(details, False)
    by_id = {ids[order_id]: details[order_id] for order_id in ids}
    asked = list(by_id)
    with calling("update", "orders"):
        result = orders().update_many(
            is_news(asked, service, state), change(by_id, service, state, attempt)
        )
    noted = set(asked) if result.matched_count == len(asked) else known(asked)
    return {order_id: ids.get(order_id) in noted for order_id in details}


def is_news(order_ids: Sequence[ObjectId], service: str, state: str) -> dict[str, Any]:
    """Finds those of the orders where this step is not noted yet."""
    noted = {"$elemMatch": {"service": service, "state": state}}
    return {"_id": {"$in": order_ids}, "steps": {"$not": noted}}


def without(order_ids: Iterable[str], service: str, state: str) -> set[str]:
    """Those of the orders that there are and that have not noted this state of the service."""
    ids = [key for each in order_ids if (key := object_id(each))]
    return {str(order["_id"]) for order in orders().find(is_news(ids, service, state), {"_id": 1})}


def known(order_ids: Sequence[ObjectId]) -> set[ObjectId]:
    """Those of the orders that orders has taken."""
    return {order["_id"] for order in orders().find({"_id": {"$in": order_ids}}, {"_id": 1})}


def change(
    details: Mapping[ObjectId, str | None], service: str, state: str, attempt: int
) -> list[dict[str, Any]]:
    """The pipeline that writes a step and everything that follows from it.

    It is the same for every order, so that a batch of them is one statement.
    """
    now = now_in_milliseconds()
    entry = {
        "state": state,
        "at": now,
        "message_id": {"$concat": [f"{service}.{state}:", ORDER_ID]},
        "detail": detail_of(details),
    }
    step = {"service": service, **entry, "attempt": attempt}
    declared = services()[service]
    earlier = declared.states[: declared.states.index(state)]
    moves_forward = {"$in": [state_in(declared), earlier]}
    heard = f"{service}.{state}"
    still_owed = {"$setDifference": [{"$ifNull": ["$awaited", []]}, ended_by(declared, state)]}
    owed = owed_after(heard)
    return [
        {
            "$set": {
                "steps": {"$concatArrays": [{"$ifNull": ["$steps", []]}, [step]]},
                **entries_after(heard),
                f"ledger.{service}": {"$cond": [moves_forward, entry, f"$ledger.{service}"]},
                "awaited": {"$setUnion": [still_owed, *owed]} if owed else still_owed,
                "version": {"$add": ["$version", 1]},
                "updated_at": now,
            }
        },
        # Within one stage `$status` is still the old one.
        {"$set": {"status": STATUS, **pending_news(now, heard)}},
        {"$set": {"awaited_since": since(now)}},
    ]


def detail_of(details: Mapping[ObjectId, str | None]) -> dict[str, Any]:
    """The expression of the order's own detail, a literal, in which "$status" is not a path."""
    place = {"$indexOfArray": [{"$literal": list(details)}, "$_id"]}
    return {"$arrayElemAt": [{"$literal": list(details.values())}, place]}


def pending_news(now: datetime, heard: str) -> dict[str, Any]:
    """Puts `order.confirmed` or `order.rejected` into the outbox where the order becomes that.

    One that is pending already stays alone: it has the same id. `heard` is what was noted, like
    "billing.invoiced".
    """
    pending_types = {"$ifNull": ["$pending_events.type", []]}
    is_now = {
        # An order may be shipped before it is invoiced, and is confirmed by the invoice then.
        "confirmed": [IS_CONFIRMED, {"$in": ["$status", unconfirmed_before(heard)]}],
        "rejected": [{"$eq": [STATUS, "rejected"]}, {"$ne": ["$status", "rejected"]}],
    }
    becomes = {
        status: {"$and": [*conditions, {"$not": [{"$in": [f"order.{status}", pending_types]}]}]}
        for status, conditions in is_now.items()
    }
    events = {status: [pending_event(f"order.{status}", now)] for status in becomes}
    owed = {status: {"$concatArrays": owed_after(f"order.{status}")} for status in becomes}
    return {
        "pending_events": {"$concatArrays": ["$pending_events", chosen(becomes, events)]},
        "pending_since": {
            "$cond": [
                {"$or": [*becomes.values()]},
                {"$ifNull": ["$pending_since", now]},
                "$pending_since",
            ]
        },
        "awaited": {"$setUnion": ["$awaited", chosen(becomes, owed)]},
        **new_entries(becomes),
    }


def unconfirmed_before(heard: str) -> list[str]:
    """The statuses in which an order had not been confirmed before this was noted."""
    return ["placed", "shipped"] if heard == INVOICED else ["placed"]


def chosen(cases: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    """The expression of what the case that holds is to have; an empty array where none does."""
    branches = [{"case": case, "then": then[name]} for name, case in cases.items()]
    return {"$switch": {"branches": branches, "default": []}}


def entries_after(type_: str) -> dict[str, Any]:
    """Entries in the ledger for the services that may first hear of an order by this event."""
    return {
        f"ledger.{service.name}": {"$ifNull": [f"$ledger.{service.name}", UNHEARD]}
        for service, _ in waits(type_)
        if service.name not in ledger_at_first()
    }


def new_entries(becomes: Mapping[str, Any]) -> dict[str, Any]:
    """The same for those that first hear of it by its new status, which may be one of several."""
    cases: defaultdict[str, list[Any]] = defaultdict(list)
    for status, case in becomes.items():
        for name in entries_after(f"order.{status}"):
            cases[name].append(case)
    return {
        name: {"$cond": [{"$or": each}, {"$ifNull": [f"${name}", UNHEARD]}, f"${name}"]}
        for name, each in cases.items()
    }


def pending_event(type_: str, now: datetime) -> dict[str, Any]:
    """An event for the outbox, as an expression of an update; an order has one of each type."""
    event_id = {"$concat": [f"{type_}:", ORDER_ID]}
    return {"id": event_id, "type": type_, "version": "$version", "at": now}


def never_taken(order_id: str) -> PermanentError:
    return PermanentError(
        f"{NEVER_TAKEN} order {order_id[:100]!r}, so it has no ledger to note this in. "
        "Either an external publisher made it: what inventory or billing did for it stays, so "
        "discard this. Or a backup was restored that is older than the order: then run `python "
        "manage.py reconcile_restore`, which puts back what it can, and says what it cannot."
    )
