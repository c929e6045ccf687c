"""What was asked over HTTP and what was answered, one line each, in a file that stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer."""

    #: Which intended request of the plan; its repeats have the same number.
    number: int
    #: `order`, `again` (the same key and body), `other` (the same key, another body), `invalid`,
    #: `cancel`.
    kind: str
    #: The userId that belongs to this order of this run alone.
    user_id: int
    key: str | None
    body: Any
    #: Seconds since 1970 when it was sent.
    at: float
    seconds: float
    #: None where no answer came: `problem` says why.
    status: int | None
    answer: Any = None
    problem: str = ""

    @property
    def order_id(self) -> str | None:
        """The order that a success tells of."""
        if self.status in (200, 201) and isinstance(self.answer, dict):
            return str(self.answer["order"]["orderId"])
        return None


class History:
    """The exchanges of a run, in the order in which they ended; several threads may add."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        self._exchanges: list[Exchange] = []
        self._lock = Lock()

    def add(self, exchange: Exchange) -> None:
        line = json.dumps(asdict(exchange), separators=(",", ":"))
        with self._lock, self._file.open("a") as file:
            file.write(line + "\n")
            self._exchanges.append(exchange)

    def __iter__(self) -> Iterator[Exchange]:
        return iter([*self._exchanges])
