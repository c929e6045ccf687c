"""kombu: the calls that wait for one of a worker's pool children."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runtime.tried_releases import Tried

TRIED = Tried(
    "kombu",
    "==5.7.0",
    "a worker holds what it has taken for as long as RabbitMQ's consumer_timeout allows, however "
    "slow its handlers are",
)


def waiting_calls(semaphore: Any) -> Iterator[Any]:
    """What waits for a pool child, the oldest first."""
    for _, (call, *_), _ in semaphore._waiting:
        yield call


def forget_waiting_calls(semaphore: Any) -> None:
    """None of it gets a child any more."""
    semaphore._waiting.clear()
