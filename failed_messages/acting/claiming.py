"""Claims a failed message for a replay, so that it is replayed once at a time."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from failed_messages.models import PartState, Status
from failed_messages.records import audit
from failed_messages.records.collection import failed_messages
from failed_messages.records.history import act
from messaging.isolation import isolated
from messaging.outages import is_outage
from runtime.mongodb_clock import mongodb_now, not_between
from runtime.transactions import in_transaction

#: A replay that ends neither way for so long may be replayed again.
LOST_AFTER = timedelta(hours=1)

#: What publishing a record needs, apart from its body.
ENVELOPE = {
    "service": True,
    "message_id": True,
    "type": True,
    "correlation_id": True,
    "content_type": True,
    "properties": True,
    "headers": True,
    "header_table": True,
    "body_bytes": True,
    "replay": True,
    "job_state": True,
}

NOT_CLAIMED = (
    "Failed message %s cannot be claimed for %s and stays as it is; the others are replayed. "
    "Correct its document, which is not as this release stores one."
)

log = logging.getLogger(__name__)


class Claimed(NamedTuple):
    """What a replay may send, and what it cannot have."""

    #: The records without their bodies, by id.
    records: dict[ObjectId, dict[str, Any]]
    #: Those whose document cannot be read or changed; the log says why.
    wrong: frozenset[ObjectId] = frozenset()


def claim_all(
    ids: Sequence[ObjectId], by: str, reason: str, job: ObjectId | None = None
) -> Claimed:
    """What `claim` does, where one document that cannot be claimed costs the others nothing.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    try:
        return Claimed(claim(ids, by, reason, job))
    except Exception as error:
        if is_outage(error):
            raise
    claimed: dict[ObjectId, dict[str, Any]] = {}
    wrong = set(ids)
    what = f"bulk replay {job}" if job else "a replay"
    for id_ in ids:
        with isolated(log, NOT_CLAIMED, id_, what):
            claimed |= claim([id_], by, reason, job)
            wrong.remove(id_)
    return Claimed(claimed, frozenset(wrong))


def claim(
    ids: Sequence[ObjectId | None], by: str, reason: str, job: ObjectId | None = None
) -> dict[ObjectId, dict[str, Any]]:
    """Claim those of the records that can be replayed.

    Args:
        job: the bulk replay that claims them; only what is a waiting part of it can be claimed.

    Returns: the claimed records without their bodies, by id.
    """
    wanted = {"_id": {"$in": [id_ for id_ in ids if id_]}, "body_cut": False}
    part = {"job": job, "job_state": PartState.WAITING} if job else {}
    return in_transaction(partial(_claim, {**wanted, **part}, by, reason, job is not None))


def _claim(
    wanted: dict[str, Any], by: str, reason: str, in_job: bool, session: ClientSession
) -> dict[ObjectId, dict[str, Any]]:
    now = mongodb_now()
    claimable = {**wanted, "$or": _waiting_or_lost(now)}
    found = failed_messages().find(claimable, {**ENVELOPE, "status": True}, session=session)
    records = {record["_id"]: record for record in found}
    for record in records.values():
        record["replay"] = {"id": str(uuid.uuid4()), "by": by, "at": now, "published_at": None}
        if in_job:
            record["job_state"] = str(PartState.SENT)
    if records:
        _write(list(records.values()), by, reason, session)
    return records


def _write(records: list[dict[str, Any]], by: str, reason: str, session: ClientSession) -> None:
    failed_messages().bulk_write(
        [
            UpdateOne(
                {"_id": record["_id"]},
                {
                    "$set": {
                        "status": Status.REPLAYING,
                        "replay": record["replay"],
                        "job_state": record["job_state"],
                    },
                    "$push": {"history": act("replay", by, reason)},
                },
            )
            for record in records
        ],
        ordered=False,
        session=session,
    )
    audit.note_each(
        session,
        "replay",
        audit.MESSAGE,
        [(record["_id"], {"status": record["status"]}, _after(record)) for record in records],
        by=by,
        reason=reason,
    )


def _after(record: dict[str, Any]) -> dict[str, Any]:
    return {"status": Status.REPLAYING, "replay": record["replay"]["id"]}


def _waiting_or_lost(now: datetime) -> list[dict[str, Any]]:
    lost = {"$ne": None, **not_between(now - LOST_AFTER, now + LOST_AFTER)}
    return [
        {"status": Status.FAILED},
        {"status": Status.REPLAYING, "replay.published_at": lost},
    ]
