"""Discard: an operator decides that a failed message needs no replay. Restore takes it back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from bson import ObjectId

from failed_messages.archive import NEITHER_RESOLVED_NOR_DISCARDED
from failed_messages.collection import failed_messages
from failed_messages.history import act
from failed_messages.models import Status
from failed_messages.plain import text
from failed_messages.verdict import ReasonMissing, Verdict, record_id, refusal


def discard(ids: Iterable[str | ObjectId], by: str, reason: str) -> list[Verdict]:
    """Set failed messages aside, each with its whole record.

    Returns: a verdict for each id, in order.

    Raises:
        ReasonMissing: `reason` is empty.
    """
    reason = reason.strip()
    if not reason:
        raise ReasonMissing("discarding needs a reason, e.g. 'test order, no invoice wanted'")
    return [_discard(id_, by, reason) for id_ in ids]


def restore(ids: Iterable[str | ObjectId], by: str, reason: str = "") -> list[Verdict]:
    """Make discarded messages failed messages again.

    Returns: a verdict for each id, in order.
    """
    return [_restore(id_, by, reason) for id_ in ids]


def _discard(id_: str | ObjectId, by: str, reason: str) -> Verdict:
    updated = failed_messages().update_one(
        {"_id": record_id(id_), "status": Status.FAILED},
        {
            "$set": {
                "status": Status.DISCARDED,
                "discarded_at": datetime.now(UTC),
                "discarded_by": by,
                "discard_reason": text(reason, 1_000),
            },
            "$push": {"history": act("discard", by, reason)},
        },
    )
    if updated.modified_count:
        return Verdict(str(id_), done=True, detail="discarded")
    return refusal(id_, "discard")


def _restore(id_: str | ObjectId, by: str, reason: str) -> Verdict:
    updated = failed_messages().update_one(
        {"_id": record_id(id_), "status": Status.DISCARDED},
        {
            "$set": {"status": Status.FAILED, **NEITHER_RESOLVED_NOR_DISCARDED},
            "$push": {"history": act("restore", by, reason)},
        },
    )
    if updated.modified_count:
        return Verdict(str(id_), done=True, detail="failed again, as before it was discarded")
    return refusal(id_, "restore")
