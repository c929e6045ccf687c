"""Are the broker's exchanges and queues the declared ones?"""

from __future__ import annotations

from collections.abc import Iterator

from kombu import Connection

from messaging import topology
from ordersite.broker import management_api
from ordersite.broker.difference import difference
from ordersite.doctor.report import Finding, Severity

DECLARE = "python manage.py declare_topology"


def arguments(broker: Connection) -> Iterator[Finding]:
    """Each that is there but differs; one that is missing is another check's business."""
    for exchange in topology.exchanges():
        if words := difference(broker, exchange):
            yield _other_exchange(exchange.name, words)
    for queue in topology.queues():
        if words := difference(broker, queue):
            yield _other_queue(queue.name, words)


def _other_queue(name: str, difference: str) -> Finding:
    return Finding(
        Severity.ERROR,
        f"Queue {name}",
        f"Declared differently on RabbitMQ: {difference}.",
        "The queue works, but with other limits than this release expects.",
        "python manage.py topology apply",
        "It moves the messages while orders are accepted. What it would do: python manage.py "
        "topology plan",
    )


def _other_exchange(name: str, difference: str) -> Finding:
    return Finding(
        Severity.ERROR,
        f"Exchange {name}",
        f"Declared differently on RabbitMQ: {difference}.",
        "Events reach the wrong queues, or none.",
        f"{management_api.deletion('exchanges', name)} && {DECLARE}",
        "Stop the relay and the workers first. Subscribers that are not ours bind again.",
    )
