"""What was broken in a run, and when."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was broken, e.g. "kill -9 of relay"; times in seconds since 1970."""

    what: str
    started_at: float
    ended_at: float


class Missed(Exception):
    """The moment in which something was to be broken did not come: nothing was broken."""


class Faults:
    """The faults of one run."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    @contextmanager
    def during(self, what: str) -> Iterator[None]:
        """Something is broken as long as the block runs, unless the block raises Missed."""
        started_at = time.time()
        is_hit = True
        try:
            yield
        except Missed:
            is_hit = False
            raise
        finally:
            if is_hit:
                self._faults.append(Fault(what, started_at, time.time()))

    def now(self, what: str) -> None:
        """Something was broken at this moment."""
        with self.during(what):
            pass

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults)

    def __len__(self) -> int:
        return len(self._faults)

    @property
    def ended_at(self) -> float:
        """When the last one ended."""
        return max((fault.ended_at for fault in self._faults), default=time.time())
