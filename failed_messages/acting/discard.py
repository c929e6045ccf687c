"""Discard: an operator decides that a failed message needs no replay. Restore takes it back."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from bson import ObjectId
from pymongo.client_session import ClientSession

from failed_messages.acting.second_person import DISCARD, ask_if_needed, count_done
from failed_messages.archiving.archive import NEITHER_RESOLVED_NOR_DISCARDED
from failed_messages.models import Status
from failed_messages.reading.act_result import ReasonMissing, Verdict, record_id, refusal
from failed_messages.records.audit import MESSAGE, note
from failed_messages.records.collection import failed_messages
from failed_messages.records.history import act
from messaging.storable import text
from runtime.mongodb_clock import mongodb_now
from runtime.transactions import in_transaction

REASON_MISSING = "reason: must be given to discard, e.g. 'test order, no invoice wanted'"


def discard(
    ids: Iterable[str | ObjectId], by: str, reason: str, approved: bool = False
) -> list[Verdict]:
    """Set failed messages aside, each with its whole record.

    Args:
        approved: whether a second person has approved it already.

    Returns: a verdict for each id, in order.

    Raises:
        ReasonMissing: `reason` is empty.
        Waits: a second person has to approve it first.
    """
    reason = reason.strip()
    if not reason:
        raise ReasonMissing(REASON_MISSING)
    wanted = [str(id_) for id_ in ids]
    noted = None
    if not approved:
        noted = ask_if_needed(DISCARD, len(set(wanted)), by, reason, ids=wanted)
    verdicts = [
        Verdict(str(id_), done=True, detail="discarded")
        if in_transaction(partial(discard_within, id_, by, reason))
        else refusal(id_, "discard")
        for id_ in wanted
    ]
    count_done(noted, sum(each.done for each in verdicts))
    return verdicts


def restore(ids: Iterable[str | ObjectId], by: str, reason: str = "") -> list[Verdict]:
    """Make discarded messages failed messages again.

    Returns: a verdict for each id, in order.
    """
    return [
        Verdict(str(id_), done=True, detail="failed again, as before it was discarded")
        if in_transaction(partial(_restore, id_, by, reason))
        else refusal(id_, "restore")
        for id_ in ids
    ]


def discard_within(id_: str | ObjectId, by: str, reason: str, session: ClientSession) -> bool:
    """Set one aside in a transaction, asking nobody. Returns: whether it was failed until then."""
    change = {
        "status": Status.DISCARDED,
        "discarded_at": mongodb_now(),
        "discarded_by": by,
        "discard_reason": text(reason, 1_000),
    }
    updated = failed_messages().update_one(
        {"_id": record_id(id_), "status": Status.FAILED},
        {"$set": change, "$push": {"history": act("discard", by, reason)}},
        session=session,
    )
    if not updated.modified_count:
        return False
    before = {"status": Status.FAILED}
    note(session, "discard", MESSAGE, id_, by=by, reason=reason, before=before, after=change)
    return True


def _restore(id_: str | ObjectId, by: str, reason: str, session: ClientSession) -> bool:
    before = failed_messages().find_one_and_update(
        {"_id": record_id(id_), "status": Status.DISCARDED},
        {
            "$set": {"status": Status.FAILED, **NEITHER_RESOLVED_NOR_DISCARDED},
            # A bulk discard compares it with its start, which MongoDB's clock has dated.
            "$push": {"history": act("restore", by, reason) | {"at": mongodb_now()}},
        },
        {"_id": False, "status": True, "discarded_by": True, "discard_reason": True},
        session=session,
    )
    if before is None:
        return False
    after = {"status": Status.FAILED}
    note(session, "restore", MESSAGE, id_, by=by, reason=reason, before=before, after=after)
    return True
