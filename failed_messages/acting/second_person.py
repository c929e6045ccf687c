"""Which acts wait for a second person: SECOND_PERSON_ABOVE says so.

What one person discards or replays alone within an hour counts as one act: in several parts,
each just below the number, anybody could do alone as much as they like.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bson import ObjectId
from django.conf import settings
from pymongo.client_session import ClientSession

from failed_messages.acting.persons import is_known, persons
from failed_messages.models import PendingState
from failed_messages.records import audit
from failed_messages.records.collection import acts_alone, pending_acts
from failed_messages.records.history import NAME_LIMIT_CHARS, REASON_LIMIT_CHARS
from messaging.storable import text
from runtime.mongodb_clock import mongodb_now
from runtime.transactions import in_transaction

EDIT, DISCARD, REPLAY = "edit", "discard", "replay"
BULK_REPLAY, BULK_DISCARD = "bulk replay", "bulk discard"
POLICY = "replay policy"
#: Whatever the setting's number is: an edit sends what one person wrote, and a policy goes on
#: replaying, so that nobody can say how many.
ALWAYS = {EDIT, POLICY}
#: What counts together.
KINDS = {DISCARD: DISCARD, BULK_DISCARD: DISCARD, REPLAY: REPLAY, BULK_REPLAY: REPLAY}
#: For so long it counts.
TOGETHER = timedelta(hours=1)

#: What was asked for longer ago may be about another situation.
LASTS = timedelta(days=7)


class Waits(Exception):
    """The act was not done: it waits until another person approves it."""

    def __init__(self, id_: ObjectId, why: str = "") -> None:
        super().__init__(
            "nothing was done yet: another person with the permission has to approve it, "
            f"as act {id_}{why}"
        )
        self.id = id_


class PersonUnknown(Exception):
    """The act needs a second person, and nobody knows who the first one is: nothing was done.

    Whoever was given the key, or has the token, could approve what it asked for.
    """

    def __init__(self, why: str = "") -> None:
        super().__init__(
            f"this needs a second person{why}, and a key, or a token whose sub is not a user here, "
            "does not say who the first one is"
        )


def ask_if_needed(
    act: str, messages: int, by: str, reason: str, **arguments: Any
) -> ObjectId | None:
    """Let an act go on that one person may do alone.

    Asked for twice, as by a double click, it waits once.

    Args:
        messages: how many it is about.
        arguments: what it is called with; JSON can say each.

    Returns: the note that counts all of them as done, for `count_done` to put right; None where
        nothing counts.

    Raises:
        Waits: it is kept for another person instead.
        PersonUnknown: it would be, if it were known who asks.
    """
    above: int | None = settings.SECOND_PERSON_ABOVE
    if above is None:
        return None
    why = ""
    if act not in ALWAYS and messages <= above:
        noted, others = _note_alone(KINDS[act], messages, by, above)
        if noted:
            return noted
        why = (
            f", because these {messages:,} and the {others:,} that you did alone within the last "
            "hour are more than SECOND_PERSON_ABOVE"
        )
    if not is_known(by):
        raise PersonUnknown(why)
    raise Waits(in_transaction(partial(_keep, act, messages, by, reason, arguments)), why)


def count_done(noted: ObjectId | None, messages: int) -> None:
    """Of an act that went on, only what was done counts: not what was refused, nor named twice.

    Args:
        noted: what `ask_if_needed` returned.
    """
    if noted and messages:
        acts_alone().update_one({"_id": noted}, {"$set": {"messages": messages}})
    elif noted:
        acts_alone().delete_one({"_id": noted})


def forget_acts_alone() -> int:
    """Delete the notes that no longer count; the scheduler runs this hourly.

    Returns: how many.
    """
    return acts_alone().delete_many({"at": {"$lte": mongodb_now() - TOGETHER}}).deleted_count


def _note_alone(kind: str, messages: int, by: str, above: int) -> tuple[ObjectId | None, int]:
    """Note an act that one person may do alone; or, where that is too many with those of the last
    hour, note nothing. Returns: the note, and how many those of the last hour are.
    """
    who, now = sorted(persons(by)), mongodb_now()
    noted = {"kind": kind, "persons": who, "messages": messages, "at": now}
    # First, so that of two acts at the same moment each one counts the other.
    id_: ObjectId = acts_alone().insert_one(noted).inserted_id
    others = _count(kind, who, now) - messages
    if others + messages <= above:
        return id_, others
    acts_alone().delete_one({"_id": id_})
    return None, others


def _count(kind: str, who: list[str], now: datetime) -> int:
    # Also what a clock that was ahead has noted, but no more than that hour.
    lately = {"$gt": now - TOGETHER, "$lt": now + TOGETHER}
    found = acts_alone().find({"kind": kind, "persons": {"$in": who}, "at": lately})
    return sum(each["messages"] for each in found)


def _keep(
    act: str,
    messages: int,
    by: str,
    reason: str,
    arguments: dict[str, Any],
    session: ClientSession,
) -> ObjectId:
    now = mongodb_now()
    asked = {
        "act": act,
        "by": text(by, NAME_LIMIT_CHARS),
        "reason": text(reason, REASON_LIMIT_CHARS),
        "arguments": json.dumps(arguments),
    }
    waiting = {**asked, "state": PendingState.WAITING, "at": {"$gt": now - LASTS}}
    if known := pending_acts().find_one(waiting, {"_id": True}, session=session):
        waits: ObjectId = known["_id"]
        return waits
    before = pending_acts().count_documents(asked, session=session)
    # Of two clicks at the same moment MongoDB refuses the second one, which then finds the first.
    id_ = ObjectId(hashlib.sha256(json.dumps([asked, before]).encode()).digest()[:12])
    kept = {
        "_id": id_,
        **asked,
        "at": now,
        "messages": messages,
        "state": PendingState.WAITING,
        "decided_by": "",
        "decided_at": None,
        "outcome": "",
    }
    pending_acts().insert_one(kept, session=session)
    after = {"act": act, "messages": messages}
    audit.note(session, "ask", audit.PENDING, id_, by=by, reason=reason, after=after)
    return id_
