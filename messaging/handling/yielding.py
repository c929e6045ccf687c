"""Yielding: where the deployment asks for it, statuses wait while others have a backlog.

MongoDB and RabbitMQ serve everyone alike, so a process that only runs with less of the CPU still
takes half of what they can do. See docs/decisions/0013-statuses-yield.md.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from functools import cache

from django.conf import settings

from messaging.handling.call import Answers, Call, GoOn
from messaging.handling.queue_connection import QueueStates
from messaging.publishing.publisher import CONNECTION_ERRORS
from messaging.service import answering, services

#: How far apart the queues are checked.
CHECK_SECONDS = 0.5
#: Then a call is made anyway: whatever keeps the backlog up, this work is only late.
LONGEST_SECONDS = 2.0


def yield_to_backlogs(call: Call, go_on: GoOn) -> Answers:
    """Middleware: before a batch of the ledger's keeper, the services that an order waits for."""
    if len(call.bodies) > 1 and services()[call.service].keeps_ledger:
        yielding().wait([each.name for each in answering()])
    return go_on()


class Yielding:
    """What one process knows of the queues that it yields to."""

    def __init__(self, url: str, backlog_messages: int) -> None:
        """Args:
        backlog_messages: with more ready messages than this a queue has a backlog.
        """
        self._states = QueueStates(url)
        self._backlog_messages = backlog_messages
        self._check_at = 0.0

    def wait(self, queues: Collection[str]) -> None:
        """Return once none of the queues has a backlog, or after `LONGEST_SECONDS`.

        Where RabbitMQ does not answer, it does not wait.
        """
        deadline = time.monotonic() + LONGEST_SECONDS
        while self._is_any_behind(queues) and time.monotonic() < deadline:
            time.sleep(CHECK_SECONDS)

    def _is_any_behind(self, queues: Collection[str]) -> bool:
        if time.monotonic() < self._check_at:
            return False
        states = map(self._states.of, queues)
        try:
            is_behind = any(each and each.messages > self._backlog_messages for each in states)
        except CONNECTION_ERRORS:
            is_behind = False
        self._check_at = 0.0 if is_behind else time.monotonic() + CHECK_SECONDS
        return is_behind


@cache
def yielding() -> Yielding:
    """The one of a pool child's process, first used there."""
    return Yielding(settings.AMQP_URL, settings.YIELD_TO_BACKLOG_MESSAGES)
