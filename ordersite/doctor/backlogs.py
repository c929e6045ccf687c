"""Does a queue wait for a process that is too slow for it?"""

from __future__ import annotations

from collections.abc import Iterator

from kombu import Connection

from messaging.queue_state import depths
from messaging.topology import archived
from ordersite.doctor.report import Finding, Severity

#: More than the archiver stores in some seconds.
BACKLOG_MESSAGES = 1_000


def of_archiver(broker: Connection) -> Iterator[Finding]:
    waiting = depths(broker)
    for queue in archived():
        count = waiting[queue.name]
        if count > BACKLOG_MESSAGES:
            yield Finding(
                Severity.WARNING,
                f"Archiver, queue {queue.name}",
                f"{count:,} messages wait to be archived.",
                "They are safe, but what failed and how replays ended cannot be seen yet.",
                "python manage.py archiver",
                "Several archivers share the work.",
            )
