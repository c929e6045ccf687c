"""What is to be settled after a restore, and what is only told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from billing import lost_numbers
from ordersite.restoring.answers import Answer, Answers
from ordersite.restoring.outcome import Outcome

Document = dict[str, Any]
#: A service, an order, and the type of its event.
Unheard = tuple[str, Document, str]


class ToldOnly(NamedTuple):
    """An order that only failed messages have, and not whole: it cannot be restored."""

    order_id: str
    user_id: str
    numbers: tuple[str, ...]


class Whole(NamedTuple):
    """An order that only failed messages have, one of them whole."""

    order_id: str
    #: Of its `order.placed` or `order.cancelled`.
    body: Document
    #: Of its invoice; None where nothing tells it.
    number: str | None
    #: Of that invoice's credit note; None where nothing tells it.
    credit_note: str | None
    is_cancelled: bool
    reason: str | None
    #: When the invoice and its credit note were issued; None where nothing tells it.
    invoiced_at: datetime | None = None
    credited_at: datetime | None = None


@dataclass(slots=True)
class Findings:
    """What is to be settled, or only told."""

    #: Whether messages are believed that nothing in the database proves.
    believes: bool = False
    #: What failed messages tell, read once.
    answers: Answers = field(default_factory=lambda: Answers([]))

    #: Orders that the database lacks and billing has an invoice of: they can be put back.
    lost: list[Document] = field(default_factory=list)
    #: Orders that failed messages alone have, whole.
    whole: list[Whole] = field(default_factory=list)
    #: Reservations of orders that nothing else knows: their stock can be released.
    reserved_only: list[Document] = field(default_factory=list)
    #: What a service has to hear again.
    unheard: list[Unheard] = field(default_factory=list)
    #: Orders that were cancelled after the backup, each with the reason as far as it is known.
    taken_back: list[tuple[Document, str | None]] = field(default_factory=list)
    #: Orders with an invoice that is gone: their ledger, or billing's answer, has its number.
    uninvoiced: list[tuple[Document, Outcome]] = field(default_factory=list)
    #: Orders that inventory rejected after the backup.
    unrejected: list[tuple[Document, Outcome]] = field(default_factory=list)
    #: Orders that were shipped after the backup, and that inventory has rejected since.
    unreserved: list[Document] = field(default_factory=list)
    #: Orders that were shipped after the backup.
    unshipped: list[Document] = field(default_factory=list)
    #: Numbers that a customer may have and that the series would issue again.
    numbers: list[str] = field(default_factory=list)
    #: Failed messages whose replay was lost on the way.
    unreplayed: list[Document] = field(default_factory=list)

    #: Failed messages that are true again, as their record is.
    true: list[Answer] = field(default_factory=list)
    #: Failed messages whose number is lost, each with the number that its order has now.
    renumbered: list[tuple[Answer, str]] = field(default_factory=list)
    #: Failed messages to which the record, or a later answer, says otherwise, where answers are
    #: believed: each with what says so.
    refuted: list[tuple[Answer, str]] = field(default_factory=list)

    #: Messages that nothing proves, and that are not believed.
    unbelieved: list[Answer] = field(default_factory=list)
    #: Orders known by failed messages alone, none of which has the order whole.
    told: list[ToldOnly] = field(default_factory=list)
    #: What external publishers ordered, and what was never owed: left as it is.
    external: list[str] = field(default_factory=list)

    #: Numbers of invoices and credit notes that a ledger or a message has.
    known_numbers: set[str] = field(default_factory=set)
    #: The highest that the operator names, by series.
    named: dict[str, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many there are to be settled."""
        settled: tuple[list[Any], ...] = (
            *(self.lost, self.whole, self.reserved_only, self.unheard, self.taken_back),
            *(self.uninvoiced, self.unrejected, self.unreserved, self.unshipped, self.numbers),
            *(self.unreplayed, self.true, self.renumbered, self.refuted),
        )
        return sum(len(each) for each in settled)

    def believed(self, order_id: str) -> list[Answer]:
        """What is believed of what failed messages tell of the order."""
        return self.answers.of(order_id) if self.believes else []

    def is_named(self, number: str) -> bool:
        """Whether the number was given out by what the database or the operator says."""
        series, count = lost_numbers.parts(number)
        return count <= max(lost_numbers.last(series), self.named.get(series, 0))
