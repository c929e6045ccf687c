"""What RabbitMQ takes back too often goes somewhere, whatever its release does by default."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from kombu import Connection

from messaging import topology
from tests import broker
from tests.polling import eventually

#: From 4.0 on a quorum queue that names no limit drops a message at its 21st return.
RETURNS_THAT_NO_QUEUE_MAY_MIND = 21


def arguments_of(queue: Any) -> dict[str, Any]:
    return dict(queue.queue_arguments)


@pytest.mark.parametrize("queue", topology.queues(), ids=lambda queue: str(queue.name))
def test_each_queue_names_its_limit_and_where_a_message_goes_then(queue: Any) -> None:
    arguments = arguments_of(queue)

    assert arguments["x-queue-type"] == "quorum"
    # RabbitMQ 3.10 takes -1 for "drop at the first return".
    assert arguments["x-delivery-limit"] > RETURNS_THAT_NO_QUEUE_MAY_MIND
    if arguments["x-delivery-limit"] < topology.WITHOUT_END:
        assert arguments["x-dead-letter-exchange"]
        assert arguments["x-dead-letter-routing-key"]
        assert arguments["x-dead-letter-strategy"] == "at-least-once"
        assert arguments["x-overflow"] == "reject-publish"


@pytest.fixture
def connection(clean: None) -> Iterator[Connection]:
    with Connection(os.environ["AMQP_URL"]) as connected:
        yield connected


@pytest.mark.parametrize(
    "queue",
    [queue for queue in topology.queues() if "x-message-ttl" not in arguments_of(queue)],
    ids=lambda queue: str(queue.name),
)
def test_no_queue_drops_what_it_takes_back(connection: Connection, queue: Any) -> None:
    broker.publish(b"{}", exchange="", routing_key=queue.name)
    channel = connection.channel()
    for _ in range(RETURNS_THAT_NO_QUEUE_MAY_MIND):
        message = channel.basic_get(queue.name)
        assert message is not None
        channel.basic_reject(message.delivery_tag, requeue=True)

    # RabbitMQ confirms no reject: another connection may ask before it has been carried out.
    eventually(lambda: broker.depth(queue.name) == 1)


@pytest.mark.parametrize("name", ["billing.dlq", "replay_outcomes"])
def test_what_even_the_archiver_cannot_settle_is_kept_where_the_doctor_checks(
    connection: Connection, name: str
) -> None:
    broker.publish(b"{}", exchange="", routing_key=name)
    channel = connection.channel()
    while (message := channel.basic_get(name)) is not None:
        channel.basic_reject(message.delivery_tag, requeue=True)

    kept = eventually(lambda: broker.take(topology.undeliverable.name))

    assert kept.body == b"{}"
    assert kept.headers["x-death"][0]["queue"] == name
