"""A foreign AMQP client: publishes anything, and reads queues."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import amqp
from kombu import Connection

from drills.traffic import poison
from drills.traffic.poison import KINDS, TO_ONE_SERVICE

EVERYTHING = 100


def user() -> str:
    """As whom tests log in: RabbitMQ takes no other `user_id` of a message."""
    return str(Connection(os.environ["AMQP_URL"]).userid)


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


def publish_poison(kinds: Mapping[str, poison.Poison] = KINDS, **addressing: Any) -> dict[str, str]:
    """Publish every kind of poison; return the reason that each has to die of, by its id.

    One that claims a history comes to billing alone. `addressing` is as `poison.publish` takes it.
    """
    with amqp_channel() as channel:
        return {
            poison.publish(
                channel, each, name, user=user(), **(addressing or billing_alone(each))
            ): each.reason
            for name, each in kinds.items()
        }


def billing_alone(each: poison.Poison) -> dict[str, Any]:
    return {"exchange": TO_ONE_SERVICE, "routing_key": b"billing"} if each.comes_back else {}


@contextmanager
def amqp_channel() -> Iterator[Any]:
    """A channel that confirms, without kombu around it."""
    with Connection(os.environ["AMQP_URL"]) as broker, broker.channel() as channel:
        channel.confirm_select()
        yield channel


def take(queue: str) -> Any | None:
    """Take one message off the queue; None where it is empty."""
    return next(taken(queue), None)


def take_all(queue: str) -> list[Any]:
    """Take every message off the queue."""
    return [*taken(queue)]


def taken(queue: str) -> Iterator[Any]:
    """Take one message after the other off the queue, until it is empty."""
    with Connection(os.environ["AMQP_URL"]) as broker, broker.channel() as channel:
        while message := channel.basic_get(queue, no_ack=True):
            yield channel.message_to_python(message)


def depth(queue: str) -> int:
    """How many messages are ready in the queue."""
    with Connection(os.environ["AMQP_URL"]) as broker:
        return broker.channel().queue_declare(queue, passive=True).message_count
