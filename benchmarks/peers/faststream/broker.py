"""RabbitMQ: quorum queues on a fanout, confirmed publishing, retries through own queues."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

from faststream import AckPolicy
from faststream.rabbit import (
    Channel,
    ExchangeType,
    QueueType,
    RabbitBroker,
    RabbitExchange,
    RabbitQueue,
)
from faststream.rabbit.annotations import RabbitMessage

SERVICES = ("inventory", "billing")
RETRY_DELAY_MILLISECONDS = 5_000
MAX_ATTEMPTS = 5
PREFETCH_MESSAGES = 32

order_events = RabbitExchange("order_events", type=ExchangeType.FANOUT, durable=True)


def quorum_queue(name: str, **arguments: Any) -> RabbitQueue:
    return RabbitQueue(name, queue_type=QueueType.QUORUM, durable=True, arguments=arguments)


def dead_lettering_to(queue: str) -> dict[str, str]:
    return {
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
    }


def service_queue(service: str) -> RabbitQueue:
    return quorum_queue(service, **dead_lettering_to(f"{service}.retry"))


async def declare(broker: RabbitBroker) -> None:
    exchange = await broker.declare_exchange(order_events)
    for service in SERVICES:
        queue = await broker.declare_queue(service_queue(service))
        await queue.bind(exchange)
        delay = {"x-message-ttl": RETRY_DELAY_MILLISECONDS}
        retry_queue = quorum_queue(f"{service}.retry", **dead_lettering_to(service), **delay)
        await broker.declare_queue(retry_queue)
        await broker.declare_queue(quorum_queue(f"{service}.dlq"))


broker = RabbitBroker(
    os.environ["AMQP_URL"],
    default_channel=Channel(prefetch_count=PREFETCH_MESSAGES),
    logger=None,
)


Handler = Callable[[dict[str, Any]], Awaitable[None]]


def consumes(service: str) -> Callable[[Handler], Handler]:
    """The handler of a service's queue: acked after its work, a failed message comes back later."""

    def register(handle: Handler) -> Handler:
        queue = service_queue(service)

        @broker.subscriber(queue, order_events, ack_policy=AckPolicy.REJECT_ON_ERROR)
        async def consume(body: dict[str, Any], message: RabbitMessage) -> None:
            try:
                await handle(body)
            except Exception:
                if failures(service, message) + 1 < MAX_ATTEMPTS:
                    raise
                await broker.publish(message.body, f"{service}.dlq", persist=True)

        return handle

    return register


def failures(service: str, message: RabbitMessage) -> int:
    deaths = message.headers.get("x-death", [])
    return next((death["count"] for death in deaths if death["queue"] == service), 0)
