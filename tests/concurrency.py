"""Many callers at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

T = TypeVar("T")

START_TIMEOUT_SECONDS = 120


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Start each call in its own thread, all at the same moment; what they return, in sequence.

    Raises:
        Exception: what the first of them raised.
    """
    start = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        start.wait(START_TIMEOUT_SECONDS)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
