"""The second person: approves an act that waits, which is done then, or rejects it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

from failed_messages.acting import bulk_discard
from failed_messages.acting.discard import discard
from failed_messages.acting.editing import InvalidEdit, edit_and_replay
from failed_messages.acting.job_control import start
from failed_messages.acting.persons import is_known, person, persons
from failed_messages.acting.policies import set_policy
from failed_messages.acting.replay import replay
from failed_messages.acting.second_person import (
    BULK_DISCARD,
    BULK_REPLAY,
    DISCARD,
    EDIT,
    LASTS,
    POLICY,
    REPLAY,
)
from failed_messages.acting.started_before import StartedBefore
from failed_messages.models import PendingAct, PendingState
from failed_messages.reading.act_result import Verdict
from failed_messages.reading.filters import Filter
from failed_messages.records import audit, permissions
from failed_messages.records.collection import pending_acts
from failed_messages.records.invalid_request import Invalid
from messaging.storable import text
from runtime.mongodb_clock import mongodb_now
from runtime.transactions import in_transaction

OUTCOME_LIMIT_CHARS = 1_000

Document = dict[str, Any]

#: What the second person needs, which is what the first one needed.
NEEDED = {
    EDIT: permissions.TO_EDIT,
    DISCARD: (permissions.DISCARD,),
    REPLAY: (permissions.REPLAY,),
    BULK_REPLAY: (permissions.REPLAY,),
    BULK_DISCARD: (permissions.DISCARD,),
    POLICY: (permissions.REPLAY,),
}


class NotDecided(Exception):
    """The act cannot be decided by this person, or not any more; the text says why."""


def approve(id_: ObjectId, by: str) -> str:
    """Do what was asked for, in the name of who asked; safe to repeat after an outage.

    Returns: what came of it, in words.

    Raises:
        NotDecided: it is the same person, it was decided otherwise, or it is too old.
    """
    known = _decide(id_, by, str(PendingState.APPROVED))
    outcome = _do(known)
    pending_acts().update_one(
        {"_id": id_}, {"$set": {"outcome": text(outcome, OUTCOME_LIMIT_CHARS)}}
    )
    return outcome


def reject(id_: ObjectId, by: str) -> str:
    """Leave it undone for good. Whoever asked may take it back so, too.

    Returns: what came of it, in words.

    Raises:
        NotDecided: it was decided otherwise.
    """
    _decide(id_, by, str(PendingState.REJECTED))
    return "rejected; nothing was done"


def why_not(act: PendingAct, by: str) -> str:
    """Why this person cannot approve it; empty where they can."""
    if act.state != PendingState.WAITING:
        return f"It is {act.state} already, by {act.decided_by}."
    why = _not_by(by, act.by)
    return f"{why[0].upper()}{why[1:]}." if why else ""


def _not_by(by: str, asked_by: str) -> str:
    """Why this person cannot approve what was asked for as `asked_by`; empty where they can."""
    if not is_known(asked_by):
        return "nobody knows which person asked: reject it, and ask for it again"
    if person(by) in persons(asked_by):
        return "another person than the one who asked has to approve it"
    return ""


def _decide(id_: ObjectId, by: str, state: str) -> Document:
    known = pending_acts().find_one({"_id": id_})
    if known is None:
        raise NotDecided("there is no such act")
    if state == PendingState.APPROVED:
        if known["state"] == PendingState.APPROVED and not known["outcome"]:
            # It was approved by a process that died then.
            return known
        if why := _not_by(by, known["by"]):
            raise NotDecided(why)
        if mongodb_now() - known["at"] > LASTS:
            raise NotDecided(f"it was asked for more than {LASTS.days} days ago: ask again")
    decided = in_transaction(partial(_write, id_, by, state))
    if decided is None:
        raise NotDecided(f"it is {known['state']} already, by {known['decided_by'] or 'nobody'}")
    return decided


def _write(id_: ObjectId, by: str, state: str, session: ClientSession) -> Document | None:
    decided = pending_acts().find_one_and_update(
        {"_id": id_, "state": PendingState.WAITING},
        {"$set": {"state": state, "decided_by": by, "decided_at": mongodb_now()}},
        session=session,
        return_document=ReturnDocument.AFTER,
    )
    if decided is not None:
        act = "approve" if state == PendingState.APPROVED else "reject"
        after = {"act": decided["act"], "asked by": decided["by"]}
        audit.note(session, act, audit.PENDING, id_, by=by, reason=decided["reason"], after=after)
    return decided


def _do(known: Document) -> str:
    """In words; what cannot be done any more is told, too."""
    asked = json.loads(known["arguments"])
    try:
        return ACTS[known["act"]](known, asked)
    except (InvalidEdit, Invalid) as error:
        return f"not done: {error}"


def _edit(known: Document, asked: Document) -> str:
    verdict = edit_and_replay(
        asked["id"], asked["body"], known["by"], known["reason"], approved=True
    )
    return verdict.detail


def _discard(known: Document, asked: Document) -> str:
    return _counted(discard(asked["ids"], known["by"], known["reason"], approved=True))


def _replay(known: Document, asked: Document) -> str:
    return _counted(replay(asked["ids"], known["by"], known["reason"], approved=True))


def _start(known: Document, asked: Document) -> str:
    selection = Filter.of_text(asked["selection"])
    by, reason = known["by"], known["reason"]
    # Its own id, so that it is started once.
    with suppress(StartedBefore):
        start(selection, by, reason, asked["rate"], known["_id"], asked_at=known["at"])
    return f"bulk replay {known['_id']} is started"


def _start_discard(known: Document, asked: Document) -> str:
    selections = [Filter.of_text(each) for each in asked["selections"]]
    by, reason = known["by"], known["reason"]
    with suppress(StartedBefore):
        bulk_discard.start(selections, by, reason, known["_id"], asked_at=known["at"])
    return f"bulk discard {known['_id']} is started"


def _set_policy(known: Document, asked: Document) -> str:
    scope = set_policy(
        known["by"],
        delays=[timedelta(seconds=each) for each in asked["seconds"]],
        service=asked["service"],
        group=asked["group"],
        reason=asked["diedFor"],
        approved=True,
    )
    return f"the policy of {scope} is on"


def _counted(verdicts: list[Verdict]) -> str:
    done = sum(each.done for each in verdicts)
    return f"{done} done, {len(verdicts) - done} refused"


ACTS: dict[str, Callable[[Document, Document], str]] = {
    EDIT: _edit,
    DISCARD: _discard,
    REPLAY: _replay,
    BULK_REPLAY: _start,
    BULK_DISCARD: _start_discard,
    POLICY: _set_policy,
}
