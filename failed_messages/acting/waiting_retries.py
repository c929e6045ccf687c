"""What an operator does with a message that waits for its next attempt: run it now, or never again.

The message is held in its retry queue while the act and its audit entry are stored; then RabbitMQ
moves it to its service. A retry that was stopped is given up there, before its handler runs: its
worker writes the certificate, as after the last attempt. Whatever dies in between, the message is
in one queue, and a stopped one is given up at the latest when it is due.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from pymongo.client_session import ClientSession

from failed_messages.reading.act_result import ReasonMissing, Verdict
from failed_messages.reading.waiting_retry import WaitingRetry, find
from failed_messages.records import audit
from failed_messages.records.history import NAME_LIMIT_CHARS, REASON_LIMIT_CHARS
from messaging.handling import retry_notes
from messaging.handling.early_handover import (
    MOST_MESSAGES,
    NotWaiting,
    TooFarBack,
    hand_over,
)
from messaging.storable import text
from runtime.connecting import BROKER_ERRORS
from runtime.moment import for_programs
from runtime.transactions import in_transaction
from runtime.trouble import in_words

RETRY_NOW, STOP_RETRYING = "retry now", "stop retrying"

NO_SUCH_RETRY = "no such retry; an order's timeline has the retryId of each that waits"

NO_ANSWER = "RabbitMQ did not answer; look at the order's timeline, then try again"


def retry_now(id_: str, by: str, reason: str = "") -> Verdict:
    """Run the next attempt now.

    Raises:
        Outage: MongoDB is down; the message waits on.
    """
    return _act(id_, partial(_note_retry, by=by, reason=reason.strip()), "sent to {}")


def stop_retrying(id_: str, by: str, reason: str) -> Verdict:
    """Make the message a failed message, as if its attempts were used up.

    Raises:
        ReasonMissing: `reason` is empty.
        Outage: MongoDB is down; unless it has stored the act all the same, the message waits on.
    """
    reason = reason.strip()
    if not reason:
        raise ReasonMissing(
            "reason: must be given to stop retrying, e.g. 'the card was blocked, no attempt helps'"
        )
    done = "stopped; the worker of {} makes it a failed message now"
    return _act(id_, partial(_note_stop, by=by, reason=reason), done)


def _act(id_: str, record: Callable[..., None], done: str) -> Verdict:
    retry = find(id_)
    if retry is None:
        return Verdict(id_, done=False, detail=NO_SUCH_RETRY)
    if retry.obstacle:
        return Verdict(id_, done=False, detail=retry.obstacle)
    first = partial(in_transaction, partial(record, retry))
    try:
        hand_over(retry.note["queue"], retry.message_id, first)
    except NotWaiting:
        return Verdict(id_, done=False, detail=_too_late(retry))
    except TooFarBack:
        return Verdict(id_, done=False, detail=_too_far_back(retry))
    except BROKER_ERRORS as error:
        return Verdict(id_, done=False, detail=f"{NO_ANSWER}: {in_words(error)}")
    return Verdict(id_, done=True, detail=done.format(retry.service))


def _too_late(retry: WaitingRetry) -> str:
    return (
        f"it came too late: {retry.about} no longer waits. It runs, has run, or waits in the queue "
        f"{retry.service} for a worker; the timeline says how it ends"
    )


def _too_far_back(retry: WaitingRetry) -> str:
    return (
        f"more than {MOST_MESSAGES:,} messages may be before it in {retry.note['queue']}, and "
        "looking for it would hold all of them up; it runs when it is due"
    )


def _note_retry(retry: WaitingRetry, session: ClientSession, *, by: str, reason: str) -> None:
    retry_notes.due_now(retry.note, session)
    _audit(retry, RETRY_NOW, session, by, reason, {"due": "now"})


def _note_stop(retry: WaitingRetry, session: ClientSession, *, by: str, reason: str) -> None:
    who, why = text(by, NAME_LIMIT_CHARS), text(reason, REASON_LIMIT_CHARS)
    retry_notes.stop(retry.note, who, why, session)
    _audit(retry, STOP_RETRYING, session, by, reason, {"due": "never"})


def _audit(
    retry: WaitingRetry,
    act: str,
    session: ClientSession,
    by: str,
    reason: str,
    after: dict[str, Any],
) -> None:
    before = {
        "service": retry.service,
        "type": retry.type,
        "message_id": retry.message_id,
        "attempt": retry.attempt,
        "due": for_programs(retry.due_at) if retry.due_at else "",
    }
    audit.note(
        session, act, audit.RETRY, retry.id, by=by, reason=reason, before=before, after=after
    )
