"""Does every queue have a consumer?"""

from __future__ import annotations

from collections.abc import Iterator

from kombu import Connection

from messaging.queue_state import depths
from ordersite.doctor.report import Finding, Severity
from ordersite.pipeline import health

CONSEQUENCES = {
    "rabbitmq": "Orders are accepted, and their events wait in the outbox.",
    "topology": "Messages for it are lost. When it exists again the scheduler sends such "
    "orders again.",
    "worker": "Messages wait in the queue; other services continue.",
    "archiver": "Failed messages cannot be seen or replayed.",
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
