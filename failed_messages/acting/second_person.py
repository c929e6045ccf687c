"""Which acts wait for a second person: SECOND_PERSON_ABOVE says so."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from functools import partial
from typing import Any

from bson import ObjectId
from django.conf import settings
from pymongo.client_session import ClientSession

from failed_messages.models import PendingState
from failed_messages.records import audit
from failed_messages.records.collection import pending_acts
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

#: What was asked for longer ago may be about another situation.
LASTS = timedelta(days=7)


class Waits(Exception):
    """The act was not done: it waits until another person approves it."""

    def __init__(self, id_: ObjectId) -> None:
        super().__init__(
            "nothing was done yet: another person with the permission has to approve it, "
            f"as act {id_}"
        )
        self.id = id_


def ask_if_needed(act: str, messages: int, by: str, reason: str, **arguments: Any) -> None:
    """Let an act go on that one person may do alone.

    Asked for twice, as by a double click, it waits once.

    Args:
        messages: how many it is about.
        arguments: what it is called with; JSON can say each.

    Raises:
        Waits: it is kept for another person instead.
    """
    if is_needed(act, messages):
        raise Waits(in_transaction(partial(_keep, act, messages, by, reason, arguments)))


def is_needed(act: str, messages: int) -> bool:
    above: int | None = settings.SECOND_PERSON_ABOVE
    return above is not None and (act in ALWAYS or messages > above)


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
