"""Are the servers' versions supported? MongoDB's is the Django backend's own check."""

from __future__ import annotations

from collections.abc import Iterator

from kombu import Connection

from ordersite.doctor.report import Finding, Severity

#: The first with at-least-once dead-lettering and a TTL in quorum queues.
#: https://www.rabbitmq.com/docs/quorum-queues#dead-lettering
OLDEST_RABBITMQ = (3, 10)


def rabbitmq(broker: Connection) -> Iterator[Finding]:
    version = broker.connection.server_properties["version"]
    if _numbers(version) < OLDEST_RABBITMQ:
        oldest = ".".join(map(str, OLDEST_RABBITMQ))
        yield Finding(
            Severity.ERROR,
            "RabbitMQ",
            f"It is {version}; {oldest} or newer is needed.",
            "Its quorum queues have no delays, and may lose what they dead-letter.",
            "sudo apt-get install --only-upgrade rabbitmq-server",
        )


def _numbers(version: str) -> tuple[int, ...]:
    """`3.10.8-rc.1` -> (3, 10)"""
    return tuple(int(part) for part in version.split(".")[:2])
