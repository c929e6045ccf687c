"""How long the pipeline took to recover."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain

from drills.checks.evidence import Evidence
from drills.cluster.replica_set import Document
from drills.violation import Kind, Violation


def recovery_seconds(evidence: Evidence, ended_at: float) -> float:
    """From the end of the last fault until what it held up was done, and new orders were taken.

    Nothing that was held up, and nothing that came after, is 0.
    """
    held_up = {str(order["_id"]) for order in evidence.orders if when(order) <= ended_at}
    done = [
        when(document)
        for document in chain(evidence.reservations, evidence.invoices)
        if document["_id"] in held_up
    ]
    answered = list(first_answer_after(evidence, ended_at))
    return round(max([*done, *answered, ended_at]) - ended_at, 2)


def not_answered(evidence: Evidence, ended_at: float) -> Iterator[Violation]:
    """New orders have to be taken after the last fault, where any came."""
    if not [*first_answer_after(evidence, ended_at)]:
        yield Violation(Kind.RECOVERY, "no order was answered with 201 after the last fault")


def first_answer_after(evidence: Evidence, ended_at: float) -> Iterator[float]:
    after = (
        each.at + each.seconds
        for each in evidence.exchanges
        if each.status == 201 and each.at + each.seconds >= ended_at
    )
    first = min(after, default=None)
    if first is not None:
        yield first


def when(document: Document) -> float:
    """When it was created, in seconds since 1970."""
    created_at: datetime = document["created_at"]
    return created_at.replace(tzinfo=UTC).timestamp()
