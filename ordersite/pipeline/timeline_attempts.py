"""The attempts of an order's messages, as they happen, and when the next one is due.

The desk tells the same once a message has failed for good; until then the notes of retries do.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

from messaging.handling import retry_notes
from messaging.isolation import isolated
from messaging.timeline_step import Step

logger = logging.getLogger(__name__)

UNREADABLE = (
    "A note of a retry is not as this release writes one, so the timeline of order %s lacks it"
)

#: What identifies an attempt: who, which, and when.
Attempted = tuple[str, int | None, datetime | None]


def steps(order_id: str, told: Collection[Step]) -> list[Step]:
    """The steps of the notes of the order, without those attempts that the desk has told already.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    found: list[Step] = []
    for note in retry_notes.of_order(order_id):
        with isolated(logger, UNREADABLE, order_id):
            found += list(steps_of(note, told))
    return found


def steps_of(note: dict[str, Any], told: Collection[Step]) -> Iterator[Step]:
    """The note's failed attempts, and what comes next."""
    service = note["service"]
    known = {_attempted(step) for step in told}
    for attempt in note["attempts"]:
        step = Step(
            service=service,
            kind="failed",
            outcome="failed",
            at=datetime.fromisoformat(attempt["at"]).astimezone(UTC),
            attempt=attempt["number"],
            detail=attempt["message"],
        )
        if _attempted(step) not in known:
            yield step
    number = len(note["attempts"]) + 1
    if due_at := note.get("due_at"):
        yield Step(
            service=service,
            kind="waiting",
            outcome="to be tried again",
            attempt=number,
            due_at=due_at,
            retry_id=retry_notes.id_of(note),
        )
    elif service in {step.service for step in told}:
        return
    elif note.get("gave_up"):
        yield Step(service=service, kind="failed", outcome="gave up, to be archived")
    elif asked := note.get("stop"):
        detail = f"by {asked['by']}: {asked['reason']}"
        yield Step(service=service, kind="failed", outcome="stopped", detail=detail)


def _attempted(step: Step) -> Attempted:
    return step.service, step.attempt, step.at
