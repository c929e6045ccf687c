"""How many workers share a queue.

RabbitMQ hands out messages to them in turns. If each ran what it has as soon as one alone would,
four workers would do the same work in four times as many calls and transactions.
"""

from __future__ import annotations

import time
from contextlib import suppress
from functools import cache

from django.conf import settings

from messaging.handling.queue_connection import QueueStates
from messaging.publishing.publisher import CONNECTION_ERRORS

CHECK_SECONDS = 5


class Sharing:
    """What one process knows of the workers of one service."""

    def __init__(self, service: str, states: QueueStates) -> None:
        self._service = service
        self._states = states
        self._workers = 1
        self._check_at = 0.0

    def workers(self) -> int:
        """As many as there were some seconds ago; the last known number while RabbitMQ is down."""
        if time.monotonic() >= self._check_at:
            with suppress(*CONNECTION_ERRORS):
                if state := self._states.of(self._service):
                    self._workers = max(1, state.consumers)
            self._check_at = time.monotonic() + CHECK_SECONDS
        return self._workers


@cache
def sharing(service: str) -> Sharing:
    """The one of a pool child's process, first used there."""
    return Sharing(service, QueueStates(settings.AMQP_URL))
