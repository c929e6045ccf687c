"""Messages that wait for their next attempt, for an operator who thinks of changing that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from failed_messages.reading.next_step import missing
from failed_messages.records.order_facts import OrderFacts
from messaging.handling import retry_notes

#: A list has the soonest of more.
MOST_LISTED = 10_000


@dataclass(frozen=True, slots=True)
class WaitingRetry:
    """What its note says of it."""

    id: str
    service: str
    type: str
    order_id: str
    message_id: str
    #: The number of the attempt that is to come.
    attempt: int
    #: How many attempts there are at most; None where there is no end, or the note does not say.
    most: int | None
    #: Of the latest attempt.
    error: str
    due_at: datetime | None
    #: Why it no longer waits, or cannot be moved; empty where it can.
    obstacle: str
    note: dict[str, Any]

    @property
    def which(self) -> str:
        """`3 of 5`."""
        return f"{self.attempt} of {self.most}" if self.most else str(self.attempt)

    @property
    def about(self) -> str:
        """`attempt 3 of order.placed by billing`."""
        return f"attempt {self.attempt} of {self.type or 'a message'} by {self.service}"

    def missing(self, order: OrderFacts | None) -> str:
        """What is missing as long as it has not succeeded; `order` is None where there is none."""
        return missing(self.service, self.type, self.order_id, order)


@dataclass(frozen=True, slots=True)
class WaitingRetries:
    """All that wait, the soonest first, as a paginator takes them."""

    #: Whose they are; empty for those of all services.
    service: str = ""

    def count(self) -> int:
        """Raises pymongo.errors.PyMongoError: MongoDB did not answer; as does the rest."""
        return retry_notes.how_many(self.service, MOST_LISTED)

    def count_due(self, now: datetime) -> int:
        """Those whose time has come: they run, or wait in their service's queue."""
        return retry_notes.how_many(self.service, MOST_LISTED, before=now)

    def __getitem__(self, part: slice) -> list[WaitingRetry]:
        found = retry_notes.due_first(self.service, part.start, part.stop - part.start)
        return [waiting_retry(note) for note in found]


def find(retry_id: str) -> WaitingRetry | None:
    """The retry of this id, as an order's timeline has it; None where there is no note of one."""
    note = retry_notes.find(retry_id)
    return waiting_retry(note) if note else None


def waiting_retry(note: dict[str, Any]) -> WaitingRetry:
    attempts = note["attempts"]
    return WaitingRetry(
        id=retry_notes.id_of(note),
        service=note["service"],
        type=note.get("type") or "",
        order_id=note["order_id"],
        message_id=note["message_id"],
        attempt=len(attempts) + 1,
        most=note.get("most_attempts"),
        error=attempts[-1]["message"] if attempts else "",
        due_at=note.get("due_at"),
        obstacle=obstacle(note),
        note=note,
    )


def obstacle(note: dict[str, Any]) -> str:
    """Why nothing can be done any more; empty where RabbitMQ still has to be asked."""
    if asked := note.get("stop"):
        return f"it came too late: {asked['by']} has stopped it already ({asked['reason']})"
    if note.get("gave_up"):
        return f"it came too late: {note['service']} gave it up, so it is a failed message"
    if not note.get("due_at"):
        return f"it came too late: {note['service']} has handled it since"
    if "queue" not in note:
        return "an earlier release made it wait; it runs when it is due"
    return ""
