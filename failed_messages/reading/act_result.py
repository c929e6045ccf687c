"""The result of an act on one failed message."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from bson import ObjectId
from bson.errors import InvalidId

from failed_messages.models import Status
from failed_messages.records.collection import failed_messages
from messaging.isolation import isolated
from runtime.moment import exact


@dataclass(frozen=True, slots=True)
class Verdict:
    """One act on one record: done, or refused because of `detail`."""

    id: str
    done: bool
    detail: str


NOT_KNOWN = "its document cannot be read; the log says why"
CANNOT_SAY = (
    "Nothing was done to failed message %s, and why is not known, as its document is not as this "
    "release stores one."
)

log = logging.getLogger(__name__)


class ReasonMissing(ValueError):
    """Discarding needs a reason, so that the record can be understood later."""


#: Why nothing could be done.
WHY_NOT = (
    *("status", "body_cut", "replay", "resolved_by", "resolved_at"),
    *("discarded_by", "discarded_at", "discard_reason", "history"),
)


def record_id(id_: str | ObjectId) -> ObjectId | None:
    """The record's key; None for what cannot be one."""
    try:
        return ObjectId(id_)
    except (InvalidId, TypeError):
        return None


def refusal(id_: str | ObjectId, verb: str) -> Verdict:
    """Say why a conditional update of this record found nothing to change."""
    record = failed_messages().find_one(
        {"_id": record_id(id_)},
        dict.fromkeys(WHY_NOT, True),
    )
    detail = NOT_KNOWN
    with isolated(log, CANNOT_SAY, id_):
        detail = why_not(record, verb)
    return Verdict(str(id_), done=False, detail=detail)


def why_not(record: dict | None, verb: str) -> str:
    if record is None:
        return "no such failed message; `failed_messages list` shows them all"
    if record["status"] == Status.REPLAYING:
        return f"it has been replaying since {exact(record['replay']['at'])}"
    if record["status"] == Status.RESOLVED:
        return f"it is resolved already, by {record['resolved_by']}{_at(record['resolved_at'])}"
    if record["status"] == Status.DISCARDED:
        who = f"{record['discarded_by']}{_at(record['discarded_at'])} ({record['discard_reason']})"
        if verb == "discard":
            return f"it is discarded already, by {who}"
        return f"it is discarded; restore it first. It was discarded by {who}"
    if record["body_cut"] and verb == "replay":
        return (
            "only the beginning of its body was kept, as it was too large to store; ask its "
            "publisher to send it again, then discard this one"
        )
    latest = record["history"][-1] if record["history"] else {}
    if latest.get("act") == verb:
        return f"it is {record['status']} already: {verb} by {latest['by']}{_at(latest['at'])}"
    return f"it is {record['status']}, so there is nothing to {verb}"


def _at(moment: datetime | None) -> str:
    return f" at {exact(moment)}" if moment else ""
