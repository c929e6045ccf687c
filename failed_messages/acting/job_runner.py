"""Works on bulk replays, a step at a time.

A step reads where the job is from the database and nowhere else, so that any process may take
the next one, also after a restart of everything. The first messages go alone: 1, then 5, then
50; each of these waits for all answers to the ones before it.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import Any

from bson import ObjectId
from django.conf import settings
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from failed_messages.acting.claiming import claim_all
from failed_messages.acting.job_control import ACTIVE, MOST_A_SECOND
from failed_messages.acting.sending import Sender
from failed_messages.models import FailedMessage, JobState, PartState, Status
from failed_messages.reading.act_result import refusal
from failed_messages.reading.filters import FILTER_FIX, Filter, InvalidFilter, index_of
from failed_messages.reading.headline import headline_of
from failed_messages.reading.preview import failed_only, failed_until
from failed_messages.reading.staleness import moved_on
from failed_messages.records import audit
from failed_messages.records.collection import failed_messages, replay_jobs
from messaging.isolation import isolated
from messaging.outages import is_outage
from messaging.publishing.publisher import Publisher
from runtime.lease import Lease, kept
from runtime.mongodb_clock import mongodb_now
from runtime.transactions import in_transaction

#: So many may be sent in all, before the ones sent so far are answered: 1, then 5, then 50.
CANARIES = (1, 6, 56)
#: Messages claimed and published together.
CHUNK_MESSAGES = 100
#: Gathering many thousands takes several steps, so that other jobs have theirs between them.
GATHERED_AT_ONCE = 2_000
GATHERING_SECONDS = 5

RUNNER = "bulk replay"

CANNOT_GO_ON = (
    "Bulk replay %s is stopped by an error; the others continue. The messages that it sent are "
    "still handled. Its page in the admin says why; start another one in its place."
)

#: In the message's own row of the job.
CANNOT_BE_CLAIMED = "it could not be claimed; the scheduler's log says why"

STOPPED, DONE = str(JobState.STOPPED), str(JobState.DONE)
LEFT_OUT, REFUSED = str(PartState.LEFT_OUT), str(PartState.REFUSED)

Job = dict[str, Any]

log = logging.getLogger(__name__)


def advance_jobs() -> int:
    """Take the next step of every bulk replay; the scheduler runs this every second.

    Returns: how many it worked on.
    """
    unfinished = {"$or": [{"state": {"$in": ACTIVE}}, {"sent": {"$gt": 0}}]}
    ids = [found["_id"] for found in replay_jobs().find(unfinished, {"_id": True})]
    return sum(_advance_alone(id_) for id_ in ids)


def _advance_alone(id_: ObjectId) -> bool:
    """Take a job's next step; False where another scheduler works on it."""
    lease = Lease(lease_name(id_))
    if not lease.is_held():
        return False
    with kept(lease), isolated(log, CANNOT_GO_ON, id_):
        if job := replay_jobs().find_one({"_id": id_}):
            _advance_or_stop(job)
    return True


def lease_name(id_: ObjectId) -> str:
    return f"bulk replay {id_}"


def _advance_or_stop(job: Job) -> None:
    """A bulk replay that cannot go on ends with its reason: it would only hold itself up."""
    try:
        _advance(job)
    except Exception as error:
        # What MongoDB refuses now it may take at the next step.
        if not is_outage(error) and not isinstance(error, PyMongoError):
            _end(job, STOPPED, f"It stopped with an error; start another one: {error!r}")
        raise


def _advance(job: Job) -> None:
    gathered = job["state"] != JobState.GATHERING or _gather(job)
    counts = _count(job)
    if gathered and job["state"] in (JobState.GATHERING, JobState.RUNNING):
        _send_or_end(job, counts)
        _count(job)


def _gather(job: Job) -> bool:
    """Make the messages that match parts of the job; doing it twice changes nothing.

    Returns: False where there are more of them than one step takes.
    """
    active = replay_jobs().find({"state": {"$in": ACTIVE}}, {"_id": True})
    taken = {"job": {"$nin": [each["_id"] for each in active]}}
    matching = failed_only(_selection(job), job["at"])
    free = {**taken, "body_cut": False, **failed_until(job["at"])}
    part = {"job": job["_id"], "job_state": PartState.WAITING, "job_detail": ""}
    deadline = time.monotonic() + GATHERING_SECONDS
    while time.monotonic() < deadline:
        found = failed_messages().find({"$and": [matching, free]}, {"_id": True})
        found = found.hint(index) if (index := index_of(matching)) else found
        ids = [record["_id"] for record in found.limit(GATHERED_AT_ONCE)]
        if not ids:
            running = {"$set": {"state": JobState.RUNNING}}
            replay_jobs().update_one({"_id": job["_id"], "state": JobState.GATHERING}, running)
            return True
        still_free = {"_id": {"$in": ids}, "status": Status.FAILED, **taken}
        failed_messages().update_many(still_free, {"$set": part})
    return False


def _selection(job: Job) -> Filter:
    """Raises InvalidFilter: it is not a filter, or one that asks for everything."""
    selection = Filter.of_text(job["selection"])
    if not selection.parameters():
        raise InvalidFilter("filter", "must say which messages", FILTER_FIX)
    return selection


def _count(job: Job) -> dict[str, int]:
    """How many of its messages are in each state, for those who watch."""
    counts = {
        state: failed_messages().count_documents({"job": job["_id"], "job_state": state})
        for state in PartState.values
    }
    replay_jobs().update_one({"_id": job["_id"]}, {"$set": counts})
    return counts


def _send_or_end(job: Job, counts: dict[str, int]) -> None:
    answered = counts["resolved"] + counts["recurred"] + counts["died"]
    if counts["recurred"]:
        _end(job, STOPPED, f"The same failure came back: {_recurrence(job)}")
    elif counts["died"] and counts["died"] == answered and not counts["sent"]:
        _end(job, STOPPED, "Every message that was sent failed again of another cause.")
    elif not counts["waiting"] and not counts["sent"]:
        _end(job, DONE)
    else:
        _send(job, min(allowance(answered, counts["sent"]), _rate_budget(job)))


def allowance(answered: int, sent: int) -> int:
    """How many messages may be sent now, with so many answered and so many not."""
    in_all = next((limit for limit in CANARIES if answered < limit), None)
    return MOST_A_SECOND if in_all is None else max(0, in_all - answered - sent)


def _rate_budget(job: Job) -> int:
    """As many as the rate allows since the last step, and never more than for one second."""
    if job["sent_at"] is None:
        return int(job["rate"])
    seconds = (mongodb_now() - job["sent_at"]).total_seconds()
    # In the future it was sent by another primary's clock.
    return round(job["rate"] * (min(1.0, seconds) if seconds >= 0 else 1.0))


def _send(job: Job, most: int) -> None:
    with Publisher(settings.AMQP_URL) as publisher:
        sender = Sender(publisher)
        while most > 0 and sender.broker_answers and _goes_on(job):
            waiting = {"job": job["_id"], "job_state": PartState.WAITING}
            fields = {"order_id": True, "type": True, "headers": True}
            chunk = failed_messages().find(waiting, fields).sort("_id", 1)
            records = list(chunk.limit(min(most, CHUNK_MESSAGES)))
            if not records:
                return
            most -= len(records)
            _send_chunk(job, sender, records)
            replay_jobs().update_one({"_id": job["_id"]}, {"$set": {"sent_at": mongodb_now()}})


def _send_chunk(job: Job, sender: Sender, records: list[dict[str, Any]]) -> None:
    stale = moved_on(records)
    left_out = {
        id_: each.detail for id_, each in stale.items() if each.cancelled or not job["reason"]
    }
    ids = [record["_id"] for record in records if record["_id"] not in left_out]
    claimed, wrong = claim_all(ids, job["by"], job["reason"], job["_id"])
    sender.send(list(claimed.values()))
    for id_, reason in left_out.items():
        _set_aside(job, id_, LEFT_OUT, reason)
    for id_ in wrong:
        _set_aside(job, id_, REFUSED, CANNOT_BE_CLAIMED)
    for id_ in ids:
        if id_ not in claimed and id_ not in wrong:
            _set_aside(job, id_, REFUSED, refusal(id_, "replay").detail)


def _set_aside(job: Job, id_: ObjectId, state: str, detail: str) -> None:
    failed_messages().update_one(
        {"_id": id_, "job": job["_id"], "job_state": PartState.WAITING},
        {"$set": {"job_state": state, "job_detail": detail}},
    )


def _goes_on(job: Job) -> bool:
    """It was not paused or cancelled, and the failure has not come back."""
    running = {"_id": job["_id"], "state": {"$in": [JobState.GATHERING, JobState.RUNNING]}}
    recurred = {"job": job["_id"], "job_state": PartState.RECURRED}
    return bool(replay_jobs().find_one(running, {"_id": True})) and not failed_messages().find_one(
        recurred, {"_id": True}
    )


def _recurrence(job: Job) -> str:
    wanted = {"job": job["_id"], "job_state": str(PartState.RECURRED)}
    record = FailedMessage.objects.filter(**wanted).first()
    return headline_of(record) if record else "see its messages."


def _end(job: Job, state: str, why: str = "") -> None:
    in_transaction(partial(_write_end, job, state, why))
    log.info("Bulk replay %s: %s %s", job["_id"], state, why)


def _write_end(job: Job, state: str, why: str, session: ClientSession) -> None:
    before = replay_jobs().find_one_and_update(
        {"_id": job["_id"], "state": {"$in": ACTIVE}},
        {"$set": {"state": state, "why": why, "finished_at": mongodb_now()}},
        session=session,
    )
    if before is not None:
        audit.note(
            session, state, audit.JOB, job["_id"], by=RUNNER, reason=why,
            before={"state": before["state"]}, after={"state": state},
        )  # fmt: skip
