"""Does a queue wait for a process that is too slow for it?"""

from __future__ import annotations

from collections.abc import Iterator

from kombu import Connection

from messaging.queues import depths
from messaging.service import services
from ordersite.doctor.report import Finding, Severity

#: More dead letters than the archiver stores in some seconds.
BACKLOG_MESSAGES = 1_000


def of_archiver(broker: Connection) -> Iterator[Finding]:
    waiting = depths(broker)
    for service in services():
        count = waiting[f"{service}.dlq"]
        if count > BACKLOG_MESSAGES:
            yield Finding(
                Severity.WARNING,
                f"Queue {service}.dlq",
                f"{count:,} failed messages wait to be archived.",
                "They are safe, but cannot be seen or replayed yet.",
                "python manage.py archiver",
                "Several archivers share the work.",
            )
