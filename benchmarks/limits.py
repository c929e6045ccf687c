"""The limits: what one process gets out of MongoDB and RabbitMQ when it does nothing else."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import amqp
from bson import ObjectId
from pymongo.collection import Collection

from benchmarks.how_much import Scale
from benchmarks.services import Services
from benchmarks.workload import SKUS

#: Documents a call, messages on the wire before confirms are awaited, messages an ack.
BATCH = 200
MESSAGE_BYTES = 500
PERSISTENT = 2
QUEUES = ("first", "second")


def limits(services: Services, scale: Scale) -> dict[str, float]:
    """Documents and messages a second, at the durability that every contender has."""
    with services.ground() as ground, ground.broker() as connection:
        channel = connection.channel()
        declare(channel)
        orders = ground.database.create_collection("limit")
        return {
            "insert_one_documents_per_second": insert_one(orders, scale.limit_documents // 10),
            "insert_many_documents_per_second": insert_many(orders, scale.limit_documents),
            "confirmed_messages_per_second": publish(channel, scale.limit_documents),
            "acked_messages_per_second": consume(channel, scale.limit_documents * len(QUEUES)),
        }


def insert_one(collection: Collection[dict[str, Any]], count: int) -> float:
    """Insert documents the size of an order, each acknowledged before the next; how many/s."""
    documents = [order_like() for _ in range(count)]
    started = time.perf_counter()
    for document in documents:
        collection.insert_one(document)
    return count / (time.perf_counter() - started)


def insert_many(collection: Collection[dict[str, Any]], count: int) -> float:
    """The same, a batch at a time."""
    batches = [[order_like() for _ in range(BATCH)] for _ in range(count // BATCH)]
    started = time.perf_counter()
    for batch in batches:
        collection.insert_many(batch)
    return count / (time.perf_counter() - started)


def order_like() -> dict[str, Any]:
    lines = [{"sku": sku, "quantity": 1, "unit_price": 100} for sku in SKUS[:3]]
    now = datetime.now(UTC)
    return {
        "_id": ObjectId(),
        "user_id": 101,
        "items": lines,
        "total": 300,
        "currency": "EUR",
        "status": "placed",
        "created_at": now,
        "updated_at": now,
        "ledger": {name: {"state": "pending", "at": None} for name in ("inventory", "billing")},
    }


def declare(channel: amqp.Channel) -> None:
    """A fanout with two quorum queues, as an order's event meets."""
    channel.exchange_declare("limit", "fanout", durable=True, auto_delete=False)
    for queue in QUEUES:
        channel.queue_declare(
            queue, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"}
        )
        channel.queue_bind(queue, "limit")
    channel.confirm_select()


def publish(channel: amqp.Channel, count: int) -> float:
    """Publish persistent messages, a batch ahead of their confirms; return how many/s."""
    unconfirmed: set[int] = set()

    def on_ack(delivery_tag: int, multiple: bool) -> None:
        confirmed = (
            {tag for tag in unconfirmed if tag <= delivery_tag} if multiple else {delivery_tag}
        )
        unconfirmed.difference_update(confirmed)

    channel.events["basic_ack"].add(on_ack)
    message = amqp.Message("x" * MESSAGE_BYTES, delivery_mode=PERSISTENT)
    started = time.perf_counter()
    for tag in range(1, count + 1):
        unconfirmed.add(tag)
        channel.basic_publish(message, exchange="limit")
        while len(unconfirmed) >= BATCH or (tag == count and unconfirmed):
            channel.connection.drain_events()
    return count / (time.perf_counter() - started)


def consume(channel: amqp.Channel, count: int) -> float:
    """Take every message from both queues, one ack for a batch; return how many/s."""
    taken = 0

    def take(message: amqp.Message) -> None:
        nonlocal taken
        taken += 1
        if taken % BATCH == 0 or taken == count:
            channel.basic_ack(message.delivery_tag, multiple=True)

    channel.basic_qos(0, BATCH * 2, False)
    started = time.perf_counter()
    for queue in QUEUES:
        channel.basic_consume(queue, callback=take)
    while taken < count:
        channel.connection.drain_events()
    return count / (time.perf_counter() - started)
