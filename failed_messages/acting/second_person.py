"""Which acts wait for a second person: SECOND_PERSON_ABOVE says so."""

from __future__ import annotations

import json
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
    id_ = ObjectId()
    kept = {
        "_id": id_,
        "act": act,
        "by": text(by, NAME_LIMIT_CHARS),
        "at": mongodb_now(),
        "reason": text(reason, REASON_LIMIT_CHARS),
        "messages": messages,
        "arguments": json.dumps(arguments),
        "state": PendingState.WAITING,
        "decided_by": "",
        "decided_at": None,
        "outcome": "",
    }
    pending_acts().insert_one(kept, session=session)
    after = {"act": act, "messages": messages}
    audit.note(session, "ask", audit.PENDING, id_, by=by, reason=reason, after=after)
    return id_
