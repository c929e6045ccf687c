"""A program that hears every event of an order, and keeps the latest state of each.

It needs `pip install kombu` and no package of this project. Its queue is durable, so that it misses
nothing while it is down: `rabbitmqctl delete_queue example.subscriber` removes it.

    python examples/subscriber.py amqp://guest:guest@localhost:5672//
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import Any

from kombu import Connection, Consumer, Exchange, Message, Queue

TOPIC = Exchange("order_events.topic", type="topic", durable=True)
QUEUE = Queue(
    "example.subscriber",
    TOPIC,
    routing_key="order.*",
    durable=True,
    queue_arguments={"x-queue-type": "quorum"},
)
#: Of messages that are on their way and not acked yet.
PREFETCH = 20

#: How often each order had changed at the latest event that was heard of it.
versions: dict[str, int] = {}


def hear(message: Message) -> None:
    """Take an event in. They come at least once, and in any order."""
    order: dict[str, Any] = json.loads(message.body)
    order_id, version = order["orderId"], message.headers["order-version"]
    if version > versions.get(order_id, 0):
        versions[order_id] = version
        told = f"{message.properties['type']:16} {order_id} {order['total']} {order['currency']}"
        print(told, flush=True)
    # Only now may RabbitMQ forget it.
    message.ack()


def main(url: str) -> None:
    with (
        Connection(url) as broker,
        Consumer(broker, [QUEUE], on_message=hear, prefetch_count=PREFETCH),
    ):
        print("Listening. Place an order; Ctrl-C stops.", flush=True)
        while True:
            broker.drain_events()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(sys.argv[1] if len(sys.argv) > 1 else "amqp://guest:guest@localhost:5672//")
