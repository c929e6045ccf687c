"""How a replay ended, as the worker that handled it says in `replay_outcomes`."""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from failed_messages.models import PartState, Status
from failed_messages.records.collection import failed_messages
from failed_messages.records.history import act
from runtime.mongodb_clock import mongodb_now

log = logging.getLogger(__name__)


class Outcome(msgspec.Struct, rename="camel"):
    """The message was handled: the body of `replay.succeeded`."""

    replay_id: str
    service: str
    message_id: str
    worker: str = "its worker"


def record_outcome(body: bytes) -> bool:
    """Resolve the record whose latest replay this is.

    Returns: False for an outcome that changes nothing: of an earlier replay, delivered twice, or
    no outcome at all (which is logged and dropped: any client can publish to a queue).

    Raises:
        PyMongoError: the database is down; recording again is safe.
    """
    try:
        outcome = msgspec.json.decode(body, type=Outcome)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        log.warning("Dropped a message that is not a replay outcome: %s", error)
        return False
    return _resolve(outcome)


def _resolve(outcome: Outcome) -> bool:
    record = failed_messages().find_one(_replaying(outcome), {"replay": True, "job_state": True})
    if record is None:
        log.info("Replay %s is not the latest of %s", outcome.replay_id, outcome.message_id)
        return False
    by = record["replay"]["by"]
    updated = failed_messages().update_one(
        _replaying(outcome),
        {
            "$set": {
                "status": Status.RESOLVED,
                "resolved_at": mongodb_now(),
                "resolved_by": by,
                **({"job_state": PartState.RESOLVED} if _is_part(record) else {}),
            },
            "$push": {"history": act("resolved", by, detail=f"handled by {outcome.worker}")},
        },
    )
    return updated.modified_count == 1


def _is_part(record: dict[str, Any]) -> bool:
    """Whether a bulk replay waits for it."""
    return bool(record["job_state"] == PartState.SENT)


def _replaying(outcome: Outcome) -> dict[str, Any]:
    return {
        "message_id": outcome.message_id,
        "service": outcome.service,
        "status": Status.REPLAYING,
        "replay.id": outcome.replay_id,
    }
