"""Whether the pipeline is ready, for everybody who asks within a second.

Anyone may ask, and is not counted: without this each request would cost RabbitMQ a connection, and
many of them would take the threads that probes and Prometheus need.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Lock

from ordersite.pipeline import health
from ordersite.pipeline.health import Check

FRESH_SECONDS = 1.0
#: While somebody else asks anew; an older answer is waited for.
USABLE_SECONDS = 5.0


class KeptReadiness:
    """What was found last; one asks MongoDB and RabbitMQ, and whoever comes meanwhile gets that."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._checks: Sequence[Check] = ()
        self._found_at = 0.0

    def checks(self) -> Sequence[Check]:
        """All checks; while somebody else asks anew, those of some seconds ago."""
        if self._lock.acquire(blocking=not self._is_younger_than(USABLE_SECONDS)):
            try:
                if not self._is_younger_than(FRESH_SECONDS):
                    self._checks = found()
                    self._found_at = self._clock()
            finally:
                self._lock.release()
        return self._checks

    def _is_younger_than(self, seconds: float) -> bool:
        return bool(self._checks) and self._clock() - self._found_at < seconds


def found() -> list[Check]:
    """What MongoDB and RabbitMQ say now; each is asked for at most a second."""
    database = health.mongodb()
    return [
        *(database, *health.rabbitmq()),
        *(health.relay(database), health.scheduler(database)),
        *health.deliverer(database),
    ]
