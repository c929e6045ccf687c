"""Every way in which a message can die, brought about for real, and what the desk says of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from kombu import Connection, Queue

from failed_messages.models import FailedMessage
from failed_messages.reading.headline import headline_of
from messaging import topology
from ordersite.simulated_faults.models import SimulatedFault
from tests import broker
from tests.polling import eventually
from tests.processes import Processes

LINE = {"sku": "book", "quantity": 1, "unitPrice": "12.50"}
ORDER = {"orderId": "6743f0000000000000000001", "userId": 500, "items": [LINE]}
BODY = json.dumps(ORDER).encode()

#: No worker consumes this one here, so that what is published waits in the queue.
UNATTENDED = "inventory"


@pytest.fixture(scope="module")
def running(module_processes: Processes) -> None:
    """Billing's worker, which allows a handler one second, and the archiver."""
    module_processes.start("billing", "archiver", TASK_SOFT_TIME_LIMIT_SECONDS="1")


@pytest.fixture
def desk(running: None, clean: None) -> Iterator[None]:
    yield
    SimulatedFault.objects.all().delete()


def plant(kind: str) -> None:
    SimulatedFault.objects.create(service="billing", user_id=500, kind=kind)


def to(queue: str, body: bytes = BODY, **properties: object) -> None:
    sent = {"content_type": "application/json", "type": "order.placed", **properties}
    broker.publish(body, exchange="", routing_key=queue, message_id="a", **sent)


def exception() -> None:
    plant("error")
    to("billing")


def permanent() -> None:
    plant("permanent")
    to("billing")


def killed() -> None:
    plant("crash")
    to("billing")


def slow() -> None:
    plant("slow")
    to("billing")


def unroutable() -> None:
    """Nobody is bound where billing publishes its outcome."""
    with unbound("billing_events", "orders"):
        to("billing")
        eventually(FailedMessage.objects.count)


def full() -> None:
    """Somebody has limited a queue by hand, and has it drop its oldest message."""
    with limited(UNATTENDED):
        to(UNATTENDED)
        to(UNATTENDED)
        eventually(FailedMessage.objects.count)


@contextmanager
def unbound(exchange: str, queue: str) -> Iterator[None]:
    with Connection(os.environ["AMQP_URL"]) as connection:
        try:
            connection.channel().queue_unbind(queue, exchange, routing_key=queue)
            yield
        finally:
            topology.declare(connection)


@contextmanager
def limited(name: str) -> Iterator[None]:
    arguments = {
        "x-max-length": 1,
        "x-dead-letter-exchange": "dead_letters",
        "x-dead-letter-routing-key": name,
    }
    with Connection(os.environ["AMQP_URL"]) as connection:
        queue = Queue(name, durable=True, queue_arguments=arguments)(connection.channel())
        try:
            queue.delete()
            queue.queue_declare()
            yield
        finally:
            queue.delete()
            topology.declare(connection)


WAYS: dict[str, tuple[Callable[[], None], str]] = {
    "attempts_used_up": (exception, "Billing gave up after 3 attempts in "),
    "permanent_error": (permanent, "Billing gave up at the first attempt: Simulated fault"),
    "delivery_limit": (killed, "Billing gave it up: the worker process was killed 3 times"),
    "time_limit": (slow, "Billing gave up after 3 attempts in"),
    "undecodable": (lambda: to("billing", b"hello"), "Billing refused it: the body is not JSON"),
    "unknown_type": (lambda: to("billing", type="order.exploded"), "Billing refused it: "),
    "invalid_body": (lambda: to("billing", b"{}"), "Billing gave up at the first attempt: "),
    "unroutable": (unroutable, "no queue is bound to exchange 'billing_events'"),
    "expired": (lambda: to(UNATTENDED, expiration="1"), "waited in queue inventory for longer"),
    "queue_full": (full, "queue inventory was full"),
}


@pytest.mark.parametrize("reason", WAYS)
def test_every_path_ends_at_the_desk_with_its_reason(desk: None, reason: str) -> None:
    bring_about, told = WAYS[reason]
    bring_about()

    stored = eventually(FailedMessage.objects.first)
    assert stored.reason == reason
    assert told in headline_of(stored)
    assert FailedMessage.objects.count() == 1
