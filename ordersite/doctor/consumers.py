"""Does somebody work on every queue?"""

from __future__ import annotations

from collections.abc import Iterator

from kombu import Connection

from messaging.depths import depths
from messaging.service import services
from ordersite.doctor.report import Finding, Severity
from ordersite.pipeline import health

#: More dead letters than the archiver stores in some seconds.
BACKLOG_MESSAGES = 1_000

CONSEQUENCES = {
    "rabbitmq": "Orders are taken and wait in the outbox.",
    "topology": "What is published for it is not kept. Once it is there the scheduler sends such "
    "orders again.",
    "worker": "Messages wait in the queue; other services go on.",
    "archiver": "Nobody sees what has failed, and it cannot be replayed.",
}


def declared_and_consumed(broker: Connection) -> Iterator[Finding]:
    """What `/health/ready` misses, with its consequence."""
    waiting = depths(broker)
    for check in health.rabbitmq():
        if not check.ok:
            kind, _, service = check.name.partition(" ")
            count = f" Messages in it: {waiting[service]}." if waiting.get(service) else ""
            yield Finding(
                Severity.ERROR,
                check.name.capitalize(),
                check.detail + count,
                CONSEQUENCES[kind],
                check.next_step,
            )


def archiver_backlog(broker: Connection) -> Iterator[Finding]:
    waiting = depths(broker)
    for service in services():
        count = waiting[f"{service}.dlq"]
        if count > BACKLOG_MESSAGES:
            yield Finding(
                Severity.WARNING,
                f"Queue {service}.dlq",
                f"{count:,} failed messages wait to be archived.",
                "They are safe, but nobody can see or replay them yet.",
                "python manage.py archiver",
                "Several archivers share the work.",
            )
