"""Bulk replays: start one, pause it, resume it, cancel it. `job_runner` does the work."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from failed_messages.acting.second_person import BULK_REPLAY, ask_if_needed, count_done
from failed_messages.acting.started_before import StartedBefore
from failed_messages.models import JobState, PartState
from failed_messages.reading.filters import Filter
from failed_messages.reading.known_group import require_known
from failed_messages.reading.preview import how_many
from failed_messages.records import audit
from failed_messages.records.collection import replay_jobs
from failed_messages.records.invalid_request import Invalid
from failed_messages.records.last_act import last_act
from messaging.storable import text
from runtime.mongodb_clock import mongodb_now
from runtime.transactions import in_transaction

DEFAULT_RATE = 50
MOST_A_SECOND = 500

#: What an operator may do with a job: the states that it must have, and the one it gets.
CONTROLS = {
    "pause": ([JobState.GATHERING, JobState.RUNNING], JobState.PAUSED),
    "resume": ([JobState.PAUSED], JobState.GATHERING),
    "cancel": ([JobState.GATHERING, JobState.RUNNING, JobState.PAUSED], JobState.CANCELLED),
}

ACTIVE = [JobState.GATHERING, JobState.RUNNING, JobState.PAUSED]


class InvalidJob(Invalid):
    """A bulk replay cannot be started so."""


def start(
    selection: Filter,
    by: str,
    reason: str = "",
    rate: int = DEFAULT_RATE,
    id_: ObjectId | None = None,
    asked_at: datetime | None = None,
) -> ObjectId:
    """Start the bulk replay of all failed messages that match.

    Args:
        reason: why; without one, messages whose order has changed are left out.
        rate: messages a second, once the first few are answered.
        id_: the job's id, so that asking twice starts it once; a new one unless it is given.
        asked_at: when it was asked for, where a second person has approved it since; what failed
            later is not replayed.

    Returns: the job's id.

    Raises:
        InvalidJob: the selection is empty or matches nothing that is failed, or the rate is out of
            its limits.
        UnknownGroup: the selection names a failure group that is none.
        StartedBefore: there is a job of this id.
        Waits: a second person has to approve it first.
    """
    if not selection.parameters():
        fix = "Say which messages, e.g. service=billing&status=failed."
        raise InvalidJob("filter", "must not be empty", fix)
    if not 1 <= rate <= MOST_A_SECOND:
        fix = "Send a number of messages a second."
        raise InvalidJob("rate", f"must be from 1 to {MOST_A_SECOND}", fix)
    if id_ and replay_jobs().find_one({"_id": id_}, {"_id": True}):
        raise StartedBefore
    require_known(selection)
    count = how_many(selection)
    if not count:
        fix = "A message that is replaying, resolved or discarded is not replayed again."
        raise InvalidJob("filter", "must match a message that is failed now; none does", fix)
    noted = None
    if asked_at is None:
        noted = ask_if_needed(BULK_REPLAY, count, by, reason, selection=str(selection), rate=rate)
    job = _job(id_ or ObjectId(), selection, by, asked_at or mongodb_now(), reason, rate)
    try:
        in_transaction(partial(_insert, job))
    except DuplicateKeyError as error:
        count_done(noted, 0)
        raise StartedBefore from error
    return job["_id"]


def control(id_: ObjectId, what: str, by: str, reason: str = "") -> bool:
    """Pause, resume or cancel a job; what was sent already takes its course.

    Returns: False where the job is not in a state that allows it.
    """
    return in_transaction(partial(_control, id_, what, by, reason))


def why_not(id_: ObjectId, what: str) -> str:
    """Why `control` did nothing: in which state the job is by now, and who brought it there."""
    job = replay_jobs().find_one({"_id": id_}, {"state": True}) or {"state": "gone"}
    who = f" ({act})" if (act := last_act(id_)) else ""
    return f"the bulk replay is {job['state']}, so there is nothing to {what}{who}"


def _job(
    id_: ObjectId, selection: Filter, by: str, at: datetime, reason: str, rate: int
) -> dict[str, Any]:
    return {
        "_id": id_,
        "by": text(by, 150),
        "at": at,
        "reason": text(reason.strip(), 1_000),
        "selection": str(selection),
        "rate": rate,
        "state": JobState.GATHERING,
        "why": "",
        "finished_at": None,
        "sent_at": None,
        **dict.fromkeys(PartState.values, 0),
    }


def _insert(job: dict[str, Any], session: ClientSession) -> None:
    replay_jobs().insert_one(job, session=session)
    after = {"selection": job["selection"], "rate": job["rate"]}
    by, reason = job["by"], job["reason"]
    audit.note(
        session, "bulk replay", audit.JOB, job["_id"], by=by, reason=reason, after=after
    )  # fmt: skip


def _control(id_: ObjectId, what: str, by: str, reason: str, session: ClientSession) -> bool:
    allowed, becomes = CONTROLS[what]
    finished = {"finished_at": mongodb_now()} if what == "cancel" else {}
    before = replay_jobs().find_one_and_update(
        {"_id": id_, "state": {"$in": allowed}},
        {"$set": {"state": becomes, **finished}},
        session=session,
    )
    if before is None:
        return False
    audit.note(
        session, what, audit.JOB, id_, by=by, reason=reason,
        before={"state": before["state"]}, after={"state": becomes},
    )  # fmt: skip
    return True
