"""Giving way: work that nobody waits for lets the backlogs of others go first.

MongoDB and RabbitMQ serve everyone alike, so a process that only runs with less of the CPU still
takes half of what they can do. See docs/decisions/0013-statuses-give-way.md.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from functools import cache

from django.conf import settings
from kombu import Connection

from messaging.depths import depth
from messaging.publishing.publisher import CONNECTION_ERRORS
from runtime.connecting import connect, connection_to

#: Ready messages of one queue from which on it counts as a backlog.
BACKLOG_MESSAGES = 2_000
#: How far apart the queues are looked at.
LOOK_SECONDS = 0.5
#: Then a call is made all the same: whatever keeps a backlog, this work is late and not stopped.
LONGEST_SECONDS = 2.0


class GivingWay:
    """One process's look at the queues that it gives way to."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None
        self._look_at = 0.0

    def wait(self, queues: Collection[str]) -> None:
        """Return once none of the queues has a backlog, or after `LONGEST_SECONDS`.

        Where RabbitMQ does not answer nobody is waited for.
        """
        deadline = time.monotonic() + LONGEST_SECONDS
        while self._is_any_behind(queues) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)

    def _is_any_behind(self, queues: Collection[str]) -> bool:
        if time.monotonic() < self._look_at:
            return False
        try:
            connection = self._connection = self._connection or self._open()
            is_behind = any(depth(connection, queue) > BACKLOG_MESSAGES for queue in queues)
        except CONNECTION_ERRORS:
            self._abandon()
            is_behind = False
        self._look_at = 0.0 if is_behind else time.monotonic() + LOOK_SECONDS
        return is_behind

    def _open(self) -> Connection:
        seconds = settings.CONFIRM_TIMEOUT_SECONDS
        connection = connection_to(
            self._url,
            within_seconds=seconds,
            transport_options={"read_timeout": seconds, "write_timeout": seconds},
        )
        return connect(connection, reraise_as_library_errors=False)

    def _abandon(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.collect()


@cache
def giving_way() -> GivingWay:
    """The one of a pool child's process, first used there."""
    return GivingWay(settings.AMQP_URL)
