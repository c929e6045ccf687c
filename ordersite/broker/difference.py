"""How an exchange or a queue on RabbitMQ differs from its declaration."""

from __future__ import annotations

from kombu import Connection, Exchange, Queue

from messaging import declaring
from messaging.queue_state import is_declared


def difference(broker: Connection, entity: Exchange | Queue) -> str:
    """RabbitMQ's own words; empty where it is as declared, or not there, which changes nothing."""
    return declaring.difference(broker, entity) if is_declared(broker, entity) else ""
