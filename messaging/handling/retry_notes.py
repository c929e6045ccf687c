"""Notes of retries: what failed, how often, and when it runs again, while that is still to come.

RabbitMQ holds a retry until it is due and tells nobody which it holds. So a worker notes each retry
that it has published, for an order's timeline and the front page, and each message that it has
given up: until the archiver has stored that one, nothing else tells of it. A message that succeeds
at once is never noted and costs nothing; without a note a retry runs all the same.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import pymongo
from django.db import connection
from msgspec import Struct
from pymongo import IndexModel
from pymongo.client_session import ClientSession
from pymongo.collection import Collection as MongoCollection
from pymongo.cursor import Cursor
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from messaging.certificate import Attempt
from messaging.handling.call import MessageCall
from messaging.handling.order_in_body import order_in
from messaging.incoming import Delivery
from messaging.order_id import canonical
from messaging.service import services
from messaging.topology import retry_queue
from runtime.mongodb_clock import EPOCH, mongodb_now
from runtime.stored_documents import AWARE

logger = logging.getLogger(__name__)

COLLECTION, INDEX = "retry_notes", "retry_notes_due"
#: The same condition as the partial index's.
IS_DUE = {"due_at": {"$gt": EPOCH}}

#: A note is worth no longer wait: the retry itself is safe already.
ANSWER_SECONDS = 1.0
#: After this an order's timeline shows its own record of the attempts alone.
KEPT_DAYS = 7
#: A foreign publisher may fail under one order's id as often as it likes.
MOST_OF_AN_ORDER = 50
#: What a name may hold of a foreign message.
MOST_CHARACTERS = 300
#: Of a retry's id: few of one order are told apart by it.
ID_HEX_DIGITS = 12
#: No index has their errors: each is read.
MOST_SEARCHED = 10_000
#: Beyond every character that an order's id may be followed by.
AFTER_SPACE = "!"


class Due(Struct, frozen=True):
    """The retries of one service that are still to run."""

    messages: int = 0
    #: When the next one is due; None where all are.
    next_at: datetime | None = None
    #: `TimeoutError: card service timed out`, of the last attempt of one of them.
    error: str = ""


def retried(
    call: MessageCall,
    attempts: tuple[Attempt, ...],
    delay_seconds: float,
    most: int | None = None,
) -> None:
    """Note that the message runs again after the delay, `most` times in all; never raises."""
    delivery = call.delivery
    note = {
        **_failed(call, attempts),
        "most_attempts": most,
        "queue": retry_queue(services()[delivery.service], delay_seconds).name,
    }
    # A foreign text is not an expression of MongoDB's.
    told = {name: {"$literal": value} for name, value in note.items()}
    due = {"due_at": {"$add": ["$$NOW", round(delay_seconds * 1_000)]}, "at": "$$NOW"}
    _write(delivery, call, [{"$set": told | due}, {"$unset": ["gave_up", "stop"]}])


def handled(call: MessageCall) -> None:
    """The message that was retried has succeeded; never raises."""
    _write(call.delivery, call, {"$unset": {"due_at": ""}}, upsert=False)


def gave_up(call: MessageCall, attempts: tuple[Attempt, ...]) -> None:
    """It is now a dead letter, after these attempts; never raises."""
    change = {
        "$unset": {"due_at": ""},
        "$set": {**_failed(call, attempts), "gave_up": True},
        "$currentDate": {"at": True},
    }
    _write(call.delivery, call, change)


def of_order(order_id: str) -> list[dict[str, Any]]:
    """The notes about the order.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    return list(all_of(order_id).limit(MOST_OF_AN_ORDER))


def all_of(order_id: str) -> Cursor[dict[str, Any]]:
    """The same without a limit."""
    return notes().find(_about(order_id))


def of_orders(order_ids: Collection[str], wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """The notes about these orders, few of which are asked for at once, that are `wanted`, too."""
    if not order_ids:
        return []
    return list(notes().find({"$and": [wanted, {"$or": [_about(each) for each in order_ids]}]}))


def of_message(message_id: str, limit: int) -> list[dict[str, Any]]:
    """The notes of its retries that are still to come; raises what `of_order` does."""
    wanted = {**IS_DUE, "message_id": message_id}
    return list(notes().find(wanted, hint=INDEX).limit(limit))


def that_say(words: str) -> dict[str, int]:
    """By service: how many messages wait because of an error with these words, in any case.

    Of the `MOST_SEARCHED` that are due first. Raises what `of_order` does.
    """
    said = {"$regex": re.escape(words), "$options": "i"}
    stages: list[dict[str, Any]] = [
        {"$match": IS_DUE},
        {"$sort": {"due_at": 1, "service": 1}},
        {"$limit": MOST_SEARCHED},
        {"$match": {"$or": [{"attempts.exception": said}, {"attempts.message": said}]}},
        {"$group": {"_id": "$service", "count": {"$sum": 1}}},
    ]
    found = {each["_id"]: each["count"] for each in notes().aggregate(stages, hint=INDEX)}
    return {name: found[name] for name in services() if name in found}


def id_of(note: dict[str, Any]) -> str:
    """What names the retry to an operator: its order, and what tells it from others of that."""
    digest = hashlib.sha256(note["_id"].encode("utf-8", "backslashreplace")).hexdigest()
    return f"{note['order_id']}-{digest[:ID_HEX_DIGITS]}"


def find(retry_id: str) -> dict[str, Any] | None:
    """The note that `id_of` names so, in capitals or not; raises what `of_order` does."""
    named, _, digest = retry_id.rpartition("-")
    order_id = canonical(named)
    own_id = f"{order_id}-{digest.lower()}"
    # All notes, also of a foreign publisher with very many under one order's id.
    return next((each for each in all_of(order_id) if id_of(each) == own_id), None)


def due_now(note: dict[str, Any], session: ClientSession) -> None:
    """Note that the retry does not wait until it is due; raises what `of_order` does."""
    notes().update_one({"_id": note["_id"]}, {"$set": {"due_at": mongodb_now()}}, session=session)


def stop(note: dict[str, Any], by: str, reason: str, session: ClientSession) -> None:
    """Let the next attempt not take place, as `messaging.handling.stopped_retries` sees to."""
    asked = {"by": by, "reason": reason, "at": mongodb_now()}
    change = {"$set": {"stop": asked}, "$unset": {"due_at": ""}}
    notes().update_one({"_id": note["_id"]}, change, session=session)


def stopped(call: MessageCall) -> dict[str, Any] | None:
    """Who has stopped the message's retries, and why; None where nobody has.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    asked = {"_id": _key(call), "stop": {"$exists": True}}
    note = notes().find_one(asked, {"stop": True})
    return note["stop"] if note else None


def forget(order_id: str) -> None:
    """Delete the notes about the order; raises what `of_order` does."""
    notes().delete_many(_about(order_id))


def waiting(service: str = "") -> dict[str, set[str]]:
    """By service: the ids of the orders of which a message waits for its retry; of one, or of all.

    A service without any is in it, too, with none. Raises what `of_order` does.
    """
    found: dict[str, set[str]] = {name: set() for name in services()}
    readable = {**_still_to_run(service), "order_id": {"$type": "string"}}
    for each in notes().find(readable, {"service": True, "order_id": True}, hint=INDEX):
        # What another program wrote may be of no service, and about no order.
        found.get(str(each.get("service")), set()).add(str(each["order_id"]))
    return found


def among(order_ids: Collection[str]) -> set[str]:
    """Those of the orders of which a message waits for its retry; few are asked for at once."""
    if not order_ids:
        return set()
    wanted = {**IS_DUE, "$or": [_about(each) for each in order_ids]}
    return {each["order_id"] for each in notes().find(wanted, {"order_id": True})}


def due_first(service: str, skip: int, limit: int) -> list[dict[str, Any]]:
    """The notes of what is still to run, the soonest first; of the service, or of all with "".

    Raises what `of_order` does.
    """
    found = notes().find(_still_to_run(service), hint=INDEX)
    return list(found.sort([("due_at", 1), ("service", 1)]).skip(skip).limit(limit))


def how_many(service: str, most: int, before: datetime | None = None) -> int:
    """How many these are, up to `most`; with `before` those that were due by then."""
    wanted = _still_to_run(service)
    if before is not None:
        wanted["due_at"] = {**wanted["due_at"], "$lte": before}
    return notes().count_documents(wanted, hint=INDEX, limit=most)


def by_service() -> dict[str, Due]:
    """What is still to run of each service that has any.

    Raises what `of_order` does.
    """
    to_come = {"$cond": [{"$gt": ["$due_at", "$$NOW"]}, "$due_at", None]}
    stages: list[dict[str, Any]] = [
        {"$match": IS_DUE},
        {"$group": {"_id": "$service", "count": {"$sum": 1}, "next_at": {"$min": to_come}}},
    ]
    return {
        each["_id"]: Due(each["count"], each["next_at"], _last_error(each["_id"]))
        for each in notes().aggregate(stages, hint=INDEX)
        if isinstance(each["_id"], str)
    }


def _last_error(service: str) -> str:
    newest = notes().find(_still_to_run(service), {"attempts": True}, hint=INDEX)
    for note in newest.sort([("due_at", -1), ("service", -1)]).limit(1):
        attempts = note.get("attempts")
        last = attempts[-1] if isinstance(attempts, list) and attempts else None
        # What another program wrote has any type.
        said = last if isinstance(last, dict) else {}
        words = [str(said[name]) for name in ("exception", "message") if said.get(name)]
        return ": ".join(words)[:MOST_CHARACTERS]
    return ""


def _still_to_run(service: str) -> dict[str, Any]:
    return {**IS_DUE, **({"service": service} if service else {})}


def forget_old() -> int:
    """Delete what is older than `KEPT_DAYS`; the scheduler runs this hourly.

    Returns: how many notes it was.
    """
    before = mongodb_now() - timedelta(days=KEPT_DAYS)
    return notes().delete_many({"at": {"$lt": before}}).deleted_count


def index() -> IndexModel:
    """The partial index; it holds none but the notes of what is still to run."""
    return IndexModel([("due_at", 1), ("service", 1)], name=INDEX, partialFilterExpression=IS_DUE)


def notes() -> MongoCollection[dict[str, Any]]:
    """A note needs no disk: what it is about is in RabbitMQ."""
    return connection.database.get_collection(
        COLLECTION,
        codec_options=AWARE,
        write_concern=WriteConcern(w=1, j=False),
    )


def _about(order_id: str) -> dict[str, Any]:
    return {"_id": {"$gte": f"{order_id} ", "$lt": f"{order_id}{AFTER_SPACE}"}}


def _write(
    delivery: Delivery,
    call: MessageCall,
    change: dict[str, Any] | list[dict[str, Any]],
    upsert: bool = True,
) -> None:
    try:
        with pymongo.timeout(ANSWER_SECONDS):
            notes().update_one({"_id": _key(call)}, change, upsert=upsert)
    except PyMongoError as error:
        logger.debug("No note of a retry of %s: %s", delivery.message_id, error)


def _key(call: MessageCall) -> str:
    """Begins with the order, so that an order's notes are a range of the index that there is."""
    delivery = call.delivery
    return f"{_order_id(call)} {delivery.service} {delivery.message_id[:MOST_CHARACTERS]}"


def _order_id(call: MessageCall) -> str:
    """As the desk reads it; empty where the message names none."""
    named = canonical(call.delivery.correlation_id) or order_in(call.body)
    return named[:MOST_CHARACTERS]


def _failed(call: MessageCall, attempts: tuple[Attempt, ...]) -> dict[str, Any]:
    """Which message it is, and how it failed."""
    delivery = call.delivery
    return {
        "service": delivery.service,
        "type": delivery.type,
        "order_id": _order_id(call),
        "message_id": delivery.message_id,
        "attempts": [_told(each) for each in attempts],
    }


def _told(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "at": attempt.at,
        "seconds": attempt.seconds,
        "worker": attempt.worker,
        "exception": attempt.exception,
        "message": attempt.message,
    }
