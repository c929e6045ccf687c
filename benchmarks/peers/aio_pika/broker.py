"""RabbitMQ: quorum queues on a fanout, confirmed publishing, retries through own queues."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aio_pika import DeliveryMode, ExchangeType, Message, connect_robust
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage

EXCHANGE = "order_events"
SERVICES = ("inventory", "billing")
RETRY_DELAY_MILLISECONDS = 5_000
MAX_ATTEMPTS = 5
PREFETCH_MESSAGES = 32


@asynccontextmanager
async def connected() -> AsyncIterator[AbstractChannel]:
    """A channel whose publishing waits for the broker's confirm; every queue is there."""
    async with await connect_robust(os.environ["AMQP_URL"]) as connection:
        channel = await connection.channel(publisher_confirms=True)
        await declare(channel)
        yield channel


async def declare(channel: AbstractChannel) -> None:
    exchange = await channel.declare_exchange(EXCHANGE, ExchangeType.FANOUT, durable=True)
    for service in SERVICES:
        queue = await declare_queue(channel, service, **dead_lettering_to(f"{service}.retry"))
        await queue.bind(exchange)
        delay = {"x-message-ttl": RETRY_DELAY_MILLISECONDS}
        await declare_queue(channel, f"{service}.retry", **dead_lettering_to(service), **delay)
        await declare_queue(channel, f"{service}.dlq")


async def declare_queue(channel: AbstractChannel, name: str, **arguments: Any):
    quorum = {"x-queue-type": "quorum"}
    return await channel.declare_queue(name, durable=True, arguments=quorum | arguments)


def dead_lettering_to(queue: str) -> dict[str, str]:
    return {
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
    }


async def publish(exchange: AbstractExchange, body: bytes, routing_key: str = "") -> None:
    """Return once the broker has confirmed the message."""
    message = Message(body, content_type="application/json", delivery_mode=DeliveryMode.PERSISTENT)
    await exchange.publish(message, routing_key)


async def consume(service: str, handle: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """Ack each message after `handle` has done its work; a failed one comes back later."""

    async def take(message: AbstractIncomingMessage) -> None:
        try:
            await handle(msgspec.json.decode(message.body))
        except Exception:
            logging.exception("A message of %s failed.", service)
            await retry_or_give_up(channel, service, message)
        else:
            await message.ack()

    async with connected() as channel:
        await channel.set_qos(PREFETCH_MESSAGES)
        queue = await channel.get_queue(service)
        await queue.consume(take)
        await asyncio.Event().wait()


async def retry_or_give_up(
    channel: AbstractChannel, service: str, message: AbstractIncomingMessage
) -> None:
    deaths = message.headers.get("x-death", [])
    failures = next((death["count"] for death in deaths if death["queue"] == service), 0)
    if failures + 1 < MAX_ATTEMPTS:
        await message.nack(requeue=False)
        return
    await publish(channel.default_exchange, message.body, f"{service}.dlq")
    await message.ack()
