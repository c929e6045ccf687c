"""The answer to an import: a line for each order, and a last one with the totals."""

from __future__ import annotations

from collections import Counter
from typing import Any

from orders.importing.entry import Outcome

#: Of one order, in its answer.
MAX_FAULTS = 5


class Sums:
    """How many orders were placed, were placed before, and were refused."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._warned = 0
        #: Where the last entry began.
        self.last_line = 0

    def add(self, outcome: Outcome) -> None:
        self._counts[kind(outcome)] += 1
        self._warned += bool(outcome.warning)
        self.last_line = outcome.entry.line

    @property
    def refused(self) -> int:
        return self._counts["refused"]

    @property
    def total(self) -> int:
        return self._counts.total()

    @property
    def warned(self) -> int:
        return self._warned

    def json(self) -> dict[str, int]:
        counts = {name: self._counts[name] for name in ("placed", "repeated", "refused")}
        return counts | ({"warned": self._warned} if self._warned else {})


def kind(outcome: Outcome) -> str:
    if outcome.order_id is None:
        return "refused"
    return "repeated" if outcome.is_repeated else "placed"


def outcome_json(outcome: Outcome, *, is_dry_run: bool = False) -> dict[str, Any]:
    """`{"line": 7, "orderId": "…"}`, or the faults in place of the order.

    Of a dry run only an order that was placed before has an id.
    """
    line = {"line": outcome.entry.line}
    if outcome.order_id is None:
        return line | {"errors": outcome.faults[:MAX_FAULTS]}
    is_there = outcome.is_repeated or not is_dry_run
    placed = {"orderId": outcome.order_id} if is_there else {}
    repeated = {"repeated": True} if outcome.is_repeated else {}
    warning = {"warning": outcome.warning} if outcome.warning else {}
    return line | placed | repeated | warning
