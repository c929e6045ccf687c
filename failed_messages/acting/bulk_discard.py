"""Bulk discards: all messages that match, in the background, each as an operator discards one.

A step takes those that match and are still failed, so any process may take the next one, also
after a restart of everything; what fails after the start is not discarded.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError, PyMongoError

from failed_messages.acting.discard import REASON_MISSING, discard_within
from failed_messages.acting.second_person import BULK_DISCARD, ask_if_needed, count_done
from failed_messages.acting.started_before import StartedBefore
from failed_messages.models import DiscardState
from failed_messages.reading.act_result import ReasonMissing
from failed_messages.reading.filters import FILTER_FIX, Filter, index_of
from failed_messages.reading.known_group import require_known
from failed_messages.reading.preview import failed_only, failed_until
from failed_messages.records import audit
from failed_messages.records.collection import discard_jobs, failed_messages
from failed_messages.records.invalid_request import Invalid
from failed_messages.records.last_act import last_act
from messaging.isolation import isolated
from messaging.outages import is_outage
from messaging.storable import text
from runtime.lease import Lease, kept
from runtime.mongodb_clock import mongodb_now
from runtime.plural import counted
from runtime.transactions import in_transaction

log = logging.getLogger(__name__)

#: Of one job; others have theirs between its steps.
STEP_SECONDS = 5.0
CHUNK_MESSAGES = 100
#: So many messages that MongoDB refuses to change end a bulk discard; a step tries them all again.
MOST_REFUSED = 100
#: Of them, in the reason.
REFUSED_NAMED = 5
RUNNER = "bulk discard"
RUNNING, STOPPED, CANCELLED, DONE = DiscardState.values
CANNOT_GO_ON = (
    "Bulk discard %s is stopped by an error; the others continue. What it has discarded stays so. "
    "Its page in the admin says why; start another one in its place."
)

NOT_DISCARDED = (
    "Failed message %s stays failed: bulk discard %s cannot discard it. The others go on."
)

Job = dict[str, Any]


class InvalidDiscard(Invalid):
    """A bulk discard cannot be started so."""


def start(
    selections: Sequence[Filter],
    by: str,
    reason: str,
    id_: ObjectId | None = None,
    asked_at: datetime | None = None,
) -> ObjectId:
    """Let the scheduler discard all failed messages that match one of these.

    Args:
        selections: no message matches two of them.
        id_: of the job, so that a form that is sent twice starts one.
        asked_at: when it was asked for, where a second person has approved it since; what failed
            later is not discarded.

    Returns: the job's id.

    Raises:
        ReasonMissing: `reason` is empty.
        InvalidDiscard: it asks for everything, or for nothing.
        UnknownGroup: it names a failure group that is none.
        StartedBefore: there is a job of this id.
        Waits: a second person has to approve it first.
    """
    reason = reason.strip()
    if not reason:
        raise ReasonMissing(REASON_MISSING)
    if not selections or not all(each.parameters() for each in selections):
        raise InvalidDiscard("filter", "must say which messages", FILTER_FIX)
    if id_ and discard_jobs().find_one({"_id": id_}, {"_id": True}):
        raise StartedBefore
    at = asked_at or mongodb_now()
    found = sum(_how_many(each, at) for each in selections)
    if not found:
        fix = "A message that is replaying, resolved or discarded is not discarded again."
        raise InvalidDiscard("filter", "must match a message that is failed now; none does", fix)
    texts = [str(each) for each in selections]
    noted = None
    if asked_at is None:
        noted = ask_if_needed(BULK_DISCARD, found, by, reason, selections=texts)
    job = _job(id_ or ObjectId(), texts, by, at, reason, found)
    try:
        in_transaction(partial(_insert, job))
    except DuplicateKeyError as error:
        count_done(noted, 0)
        raise StartedBefore from error
    started: ObjectId = job["_id"]
    return started


def _job(
    id_: ObjectId, selections: Sequence[str], by: str, at: datetime, reason: str, found: int
) -> Job:
    return {
        "_id": id_,
        "by": text(by, 150),
        "at": at,
        "reason": text(reason, 1_000),
        "selection": "\n".join(selections),
        "found": found,
        "discarded": 0,
        "state": RUNNING,
        "why": "",
        "finished_at": None,
    }


def cancel(id_: ObjectId, by: str) -> bool:
    """Stop discarding; what is discarded stays so. Returns: False where it has ended already."""
    return in_transaction(partial(_write_end, id_, CANCELLED, "", by))


def why_not(id_: ObjectId) -> str:
    """Why `cancel` did nothing: how the job has ended."""
    job = discard_jobs().find_one({"_id": id_}, {"state": True}) or {"state": "gone"}
    who = f" ({act})" if (act := last_act(id_)) else ""
    return f"the bulk discard is {job['state']}, so there is nothing to cancel{who}"


def advance_discards() -> int:
    """Take the next step of every bulk discard; the scheduler runs this every second.

    Returns: how many messages were discarded.
    """
    running = discard_jobs().find({"state": RUNNING}, {"_id": True})
    return sum(_advance_alone(each["_id"]) for each in list(running))


def _advance_alone(id_: ObjectId) -> int:
    """Take a job's next step, unless another scheduler works on it."""
    lease = Lease(f"bulk discard {id_}")
    if not lease.is_held():
        return 0
    with kept(lease), isolated(log, CANNOT_GO_ON, id_):
        if job := discard_jobs().find_one({"_id": id_, "state": RUNNING}):
            return _advance_or_stop(job)
    return 0


def _advance_or_stop(job: Job) -> int:
    """One that cannot go on ends with its reason."""
    try:
        return _advance(job)
    except Exception as error:
        # What MongoDB refuses now it may take at the next step.
        if not is_outage(error) and not isinstance(error, PyMongoError):
            why = f"It stopped with an error; start another one: {error!r}"
            _end(job["_id"], STOPPED, why)
        raise


def _advance(job: Job) -> int:
    done, deadline = 0, time.monotonic() + STEP_SECONDS
    refused: list[ObjectId] = []
    for line in job["selection"].split("\n"):
        wanted = _matching(Filter.of_text(line), job["at"])
        while time.monotonic() < deadline and _goes_on(job["_id"]):
            if not (ids := _chunk(wanted, job["at"], refused)):
                break
            outcomes = {each: _discard_alone(job, each) for each in ids}
            done += sum(map(bool, outcomes.values()))
            refused += [each for each, outcome in outcomes.items() if outcome is None]
            if len(refused) >= MOST_REFUSED:
                _end(job["_id"], STOPPED, _told(refused))
                return done
        else:
            return done
    _end(job["_id"], DONE, _told(refused))
    return done


def _how_many(selection: Filter, at: datetime) -> int:
    """Raises UnknownGroup."""
    require_known(selection)
    wanted = _matching(selection, at)
    hint: dict[str, Any] = {"hint": index} if (index := index_of(wanted)) else {}
    return failed_messages().count_documents(wanted, **hint)


def _matching(selection: Filter, at: datetime) -> dict[str, Any]:
    """The query of those that match, failed until then, and are failed now."""
    wanted = failed_only(selection, at)
    return {"$and": [*wanted["$and"], failed_until(at)]}


def _chunk(wanted: dict[str, Any], at: datetime, refused: Sequence[ObjectId]) -> list[ObjectId]:
    """The next ones, without those that somebody has restored since the start."""
    restored = {"$elemMatch": {"act": "restore", "at": {"$gte": at}}}
    others = [{"history": {"$not": restored}}, {"_id": {"$nin": [*refused]}}]
    found = failed_messages().find({"$and": [*wanted["$and"], *others]}, {"_id": True})
    found = found.hint(index) if (index := index_of(wanted)) else found
    return [each["_id"] for each in found.limit(CHUNK_MESSAGES)]


def _discard_alone(job: Job, id_: ObjectId) -> bool | None:
    """Discard one and count it; None where it cannot be, which costs the others nothing."""
    with isolated(log, NOT_DISCARDED, id_, job["_id"]):
        return in_transaction(partial(_discard, job, id_))
    return None


def _discard(job: Job, id_: ObjectId, session: ClientSession) -> bool:
    if not discard_within(id_, job["by"], job["reason"], session):
        return False
    discard_jobs().update_one({"_id": job["_id"]}, {"$inc": {"discarded": 1}}, session=session)
    return True


def _told(refused: Sequence[ObjectId]) -> str:
    """In words, for the job's page; empty where there is none."""
    if not refused:
        return ""
    some = ", ".join(map(str, refused[:REFUSED_NAMED]))
    more = f" and {len(refused) - REFUSED_NAMED:,} more" if refused[REFUSED_NAMED:] else ""
    stay = "stays" if len(refused) == 1 else "stay"
    return (
        f"{counted(len(refused), 'message')} could not be discarded and {stay} failed: "
        f"{some}{more}. The scheduler's log says why."
    )


def _goes_on(id_: ObjectId) -> bool:
    running = {"_id": id_, "state": RUNNING}
    return discard_jobs().find_one(running, {"_id": True}) is not None


def _end(id_: ObjectId, state: str, why: str = "") -> None:
    in_transaction(partial(_write_end, id_, state, why, RUNNER))
    log.info("Bulk discard %s: %s %s", id_, state, why)


def _insert(job: Job, session: ClientSession) -> None:
    discard_jobs().insert_one(job, session=session)
    after = {"selection": job["selection"], "messages": job["found"]}
    subject = audit.DISCARD_JOB
    audit.note(
        session, "bulk discard", subject, job["_id"], by=job["by"], reason=job["reason"],
        after=after,
    )  # fmt: skip


def _write_end(id_: ObjectId, state: str, why: str, by: str, session: ClientSession) -> bool:
    change = {"state": state, "why": why, "finished_at": mongodb_now()}
    running = {"_id": id_, "state": RUNNING}
    if discard_jobs().find_one_and_update(running, {"$set": change}, session=session) is None:
        return False
    act = "cancel" if state == CANCELLED else state
    audit.note(
        session, act, audit.DISCARD_JOB, id_, by=by, reason=why,
        before={"state": RUNNING}, after={"state": state},
    )  # fmt: skip
    return True
