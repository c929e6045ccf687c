"""The failed messages of an order, attempt by attempt, for its timeline."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from failed_messages.archiving import certificate
from failed_messages.models import Status, reason_label
from failed_messages.records.collection import failed_messages
from messaging.certificate import Attempt, Certificate
from messaging.isolation import isolated
from messaging.timeline_step import Step

log = logging.getLogger(__name__)

UNREADABLE = (
    "Failed message %s is not as this release stores one, so the timeline of order %s leaves it out"
)

#: A foreign publisher may fail under one order's id as often as it likes.
MAX_RECORDS = 50

#: What the timeline shows of a record's history; its deaths have certificates.
ACTS = {
    "replay": "replayed",
    "replay refused": "replay refused",
    "resolved": "resolved",
    "discard": "discarded",
    "restore": "restored",
}
FIELDS = ["service", "type", "status", "certificates", "history"]


def steps(order_id: str) -> list[Step]:
    """All steps of all failed messages of the order; in no particular sequence.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    records = failed_messages().find({"order_id": order_id}, FIELDS).limit(MAX_RECORDS)
    told: list[Step] = []
    for record in records:
        with isolated(log, UNREADABLE, record["_id"], order_id):
            told += list(steps_of(record))
    return told


def steps_of(record: dict[str, Any]) -> Iterator[Step]:
    """The attempts of each death, the death itself, the operators' acts, and its state now."""
    where = {"service": record["service"], "failed_message_id": str(record["_id"])}
    for text in record["certificates"]:
        death = certificate.decode(text)
        yield from (attempted(each, where) for each in death.attempts if is_dated(each))
        yield gave_up(death, record["type"], where)
    for line in record["history"]:
        if outcome := ACTS.get(line["act"]):
            detail = " ".join(filter(None, (f"by {line['by']}", line["reason"], line["detail"])))
            yield Step(kind="done", outcome=outcome, at=line["at"], detail=detail, **where)
    if record["status"] == Status.FAILED:
        yield Step(kind="failed", outcome="waits for an operator", **where)
    if record["status"] == Status.REPLAYING:
        yield Step(kind="waiting", outcome="to be replayed", **where)


def attempted(attempt: Attempt, where: dict[str, Any]) -> Step:
    return Step(
        kind="failed",
        outcome="failed",
        at=time_of(attempt),
        attempt=attempt.number,
        detail=attempt.message,
        **where,
    )


def gave_up(death: Certificate, type_: str, where: dict[str, Any]) -> Step:
    detail = f"{type_}: {reason_label(death.reason)}. {death.message}"
    at = certificate.died_at(death)
    return Step(kind="failed", outcome="gave up", at=at, detail=detail, **where)


def is_dated(attempt: Attempt) -> bool:
    """Whether its time is one; a forger may have written anything."""
    try:
        time_of(attempt)
    except (ValueError, OverflowError):
        return False
    return True


def time_of(attempt: Attempt) -> datetime:
    at = datetime.fromisoformat(attempt.at)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
