"""A foreign AMQP client: publishes anything, and looks into queues."""

from __future__ import annotations

import os
from typing import Any

import amqp
from kombu import Connection

EVERYTHING = 100


def publish(
    body: bytes,
    *,
    exchange: str = "order_events",
    routing_key: str = "",
    headers: dict[str, Any] | None = None,
    **properties: Any,
) -> None:
    """Publish one message as it is, with nothing added, and wait for the broker's confirm."""
    with Connection(os.environ["AMQP_URL"], transport_options={"confirm_publish": True}) as broker:
        channel = broker.channel()
        message = amqp.Message(body, application_headers=headers, **properties)
        channel.basic_publish(message, exchange=exchange, routing_key=routing_key)


def take(queue: str) -> Any | None:
    """Take one message off the queue; None where it is empty."""
    with Connection(os.environ["AMQP_URL"]) as broker:
        message = broker.channel().basic_get(queue, no_ack=True)
        return message and broker.channel().message_to_python(message)


def take_all(queue: str) -> list[Any]:
    """Take every message off the queue."""
    messages = []
    while (message := take(queue)) is not None:
        messages.append(message)
    return messages


def depth(queue: str) -> int:
    """How many messages are ready in the queue."""
    with Connection(os.environ["AMQP_URL"]) as broker:
        return broker.channel().queue_declare(queue, passive=True).message_count
