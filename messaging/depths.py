"""How many messages wait in each queue."""

from __future__ import annotations

from amqp import NotFound
from kombu import Connection

from messaging.topology import queues


def depths(connection: Connection) -> dict[str, int]:
    """Messages that are ready, by queue name; what a consumer holds unacked is not counted.

    A queue that is not declared has none.

    Raises:
        OSError, amqp.AMQPError: RabbitMQ did not answer.
    """
    return {queue.name: depth(connection, queue.name) for queue in queues()}


def depth(connection: Connection, queue: str) -> int:
    """Messages that are ready in one queue; raises what `depths` does."""
    try:
        with connection.channel() as channel:
            return channel.queue_declare(queue, passive=True).message_count
    except NotFound:
        return 0
