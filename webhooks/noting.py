"""From an event to a delivery for each endpoint that is to hear of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from pymongo.errors import BulkWriteError

from runtime.moment import for_programs
from runtime.mongodb_clock import mongodb_now
from runtime.requests.number import text_if_large
from webhooks import waking
from webhooks.message_ids import message_id_of
from webhooks.order_in_message import About
from webhooks.store import Document, deliveries, endpoints, noted_orders

DUPLICATE_KEY = 11000
#: All that an earlier release noted of an order.
FIRST_TYPE = "order.placed"

#: One event's body, and whose order it is about.
Heard = tuple[Mapping[str, Any], About]


def note(type_: str, heard: Sequence[Heard]) -> None:
    """Store a delivery for each endpoint that listens; again, it changes nothing.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer; some may be stored.
    """
    listening = endpoints_for(type_, {about.user_id for _, about in heard})
    if not listening:
        return
    now = mongodb_now()
    new = [
        delivery(endpoint["_id"], type_, about, payload(type_, body, about, now), now)
        for body, about in heard
        for endpoint in listening
        if hears(endpoint, about.user_id)
    ]
    if new:
        insert_what_is_new(new)
        # After they are there: whoever looks sooner finds nothing, and is woken once more.
        waking.wake({each["endpoint"] for each in new})


def note_orders(type_: str, heard: Sequence[Heard]) -> list[Document]:
    """Store that this was heard of these orders; returns the record of each, in their sequence.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer; some may be stored.
    """
    now = mongodb_now()
    records = [
        {"_id": about.order_id, "user_id": about.user_id, "at": now, "types": [type_]}
        for _, about in heard
    ]
    new: dict[str, Document] = {str(each["_id"]): each for each in records}
    # An order's first event is nearly always new, and its record costs one request.
    if type_ != FIRST_TYPE and _add_type(type_, new) == len(new):
        return records
    if known := _insert(noted_orders(), new.values()):
        _add_type(type_, known)
    return records


def _add_type(type_: str, order_ids: Collection[str]) -> int:
    """Store it of those that were heard of before, and return how many they are."""
    known = {"_id": {"$in": [*order_ids]}}
    before = {"$ifNull": ["$types", [FIRST_TYPE]]}
    change = [{"$set": {"types": {"$setUnion": [before, [type_]]}}}]
    return noted_orders().update_many(known, change).matched_count


def noted(type_: str, order_ids: Collection[str]) -> set[str]:
    """Those of the orders of which this type of event is noted."""
    found = noted_orders().find({"_id": {"$in": [*order_ids]}, "types": type_}, {"_id": True})
    return {each["_id"] for each in found}


def endpoints_for(type_: str, user_ids: Iterable[int]) -> list[Document]:
    """The enabled endpoints that listen to this type, of these customers and of the shops."""
    wanted = {
        "user_id": {"$in": [None, *user_ids]},
        "state": "enabled",
        "types": type_,
    }
    return list(endpoints().find(wanted, {"user_id": True}))


def hears(endpoint: Mapping[str, Any], user_id: int) -> bool:
    """Whether the endpoint is to hear of this user's orders.

    One that lacks the field, as another program writes it, is nobody's: it hears of nothing.
    """
    return "user_id" in endpoint and endpoint["user_id"] in (None, user_id)


def delivery(
    endpoint: str, type_: str, about: About, body: str, now: datetime, message_id: str = ""
) -> Document:
    """The document of an event for an endpoint; the same event and endpoint have one `_id`."""
    message_id = message_id or message_id_of(type_, about.order_id)
    return {
        "_id": hashlib.sha256(f"{message_id}:{endpoint}".encode()).hexdigest()[:32],
        "endpoint": endpoint,
        "message_id": message_id,
        "type": type_,
        "order_id": about.order_id,
        "user_id": about.user_id,
        "body": body,
        "state": "pending",
        "due_at": now,
        "tries": 0,
        "created_at": now,
        "settled_at": None,
        "attempts": [],
        **({"trace": dict(about.trace)} if about.trace else {}),
    }


def payload(type_: str, body: Mapping[str, Any], about: About, now: datetime) -> str:
    """What is sent: the event's own body, with its type and the time at which it was heard of.

    And with the text of a user's id that JavaScript would round.
    """
    ours = {"type": type_, "timestamp": for_programs(now)}
    if text := text_if_large(about.user_id):
        ours["userIdText"] = text
    return msgspec.json.encode(ours | {**body, **ours}).decode()


def insert_what_is_new(new: Iterable[Document]) -> None:
    """Raises pymongo.errors.PyMongoError: not all of them are stored."""
    _insert(deliveries(), new)


def _insert(into: Any, documents: Iterable[Document]) -> list[str]:
    """Store what is not there yet; returns the ids of what was."""
    try:
        into.insert_many(list(documents), ordered=False)
    except BulkWriteError as error:
        errors = error.details["writeErrors"]
        if any(each["code"] != DUPLICATE_KEY for each in errors):
            raise
        return [each["op"]["_id"] for each in errors]
    return []
