"""Batches have the effects of the single path, whatever is in them and whatever happens."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.db import connection

from drills.cluster.network import Network
from drills.cluster.proxy import Direction
from localservices.mongodb import MongoDB
from localservices.process import Process
from localservices.rabbitmq import RabbitMQ
from messaging.outages import PATIENCE_SECONDS
from messaging.publishing.publisher import Outgoing, Publisher
from ordersite.simulated_faults.models import SimulatedFault
from tests.broker import depth, take_all
from tests.messages import order_placed
from tests.polling import eventually
from tests.processes import Processes

ORDERS = 600
#: As the Procfile says.
POOL_CHILDREN = 2


def placed(order_id: str, user_id: int = 101, quantity: int = 1) -> Outgoing:
    line = {"sku": "book", "quantity": quantity, "unitPrice": "12.50"}
    return Outgoing(order_placed(order_id, userId=user_id, items=[line]), "", "billing")


def publish(*outgoing: Outgoing) -> None:
    with Publisher(settings.AMQP_URL) as publisher:
        publisher.publish(outgoing)


def invoice_numbers() -> list[str]:
    return sorted(each["number"] for each in connection.database.invoices.find({}))


def assert_each_has_one_invoice_without_gaps(count: int) -> None:
    eventually(lambda: connection.database.invoices.count_documents({}) == count)
    numbers = [int(number.partition("-")[2]) for number in invoice_numbers()]
    assert numbers == list(range(numbers[0], numbers[0] + count))
    told = eventually(lambda: depth("orders") >= count and take_all("orders"))
    assert {message.properties["type"] for message in told} == {"billing.invoiced"}
    assert len({json.loads(message.body)["orderId"] for message in told}) == count


@pytest.fixture
def worker(processes: Processes) -> Iterator[Process]:
    """Billing's worker, not yet started: what waits in its queue makes batches."""
    SimulatedFault.objects.all().delete()
    yield processes
    SimulatedFault.objects.all().delete()


def batched(log: str) -> int:
    return sum(int(count) for count in re.findall(r"billing.order.placed: (\d+) in a batch", log))


def test_a_backlog_is_done_in_batches(worker: Processes) -> None:
    publish(*(placed(f"order-{number}") for number in range(ORDERS)))

    (billing,) = worker.start("billing")

    assert_each_has_one_invoice_without_gaps(ORDERS)
    assert batched(billing.log.read_text()) >= ORDERS * 0.9
    eventually(lambda: depth("billing") == 0)


def test_one_bad_order_costs_the_others_nothing(worker: Processes) -> None:
    SimulatedFault.objects.create(service="billing", user_id=500, kind="permanent")
    publish(
        *(placed(f"order-{number}") for number in range(100)),
        placed("bad", user_id=500),
        *(placed(f"order-{number}") for number in range(100, 150)),
    )

    worker.start("billing")

    assert_each_has_one_invoice_without_gaps(150)
    (dead,) = eventually(lambda: take_all("billing.dlq"))
    assert dead.properties["message_id"] == "order.placed:bad"
    certificate = json.loads(dead.headers["certificate"])
    assert [attempt["number"] for attempt in certificate["attempts"]] == [1]


def test_one_unreadable_order_leaves_its_batch_together(worker: Processes) -> None:
    publish(
        *(placed(f"order-{number}") for number in range(200)),
        placed("bad", quantity=-1),
        *(placed(f"order-{number}") for number in range(200, 300)),
    )

    (billing,) = worker.start("billing")

    assert_each_has_one_invoice_without_gaps(300)
    (dead,) = eventually(lambda: take_all("billing.dlq"))
    assert dead.properties["message_id"] == "order.placed:bad"
    assert batched(billing.log.read_text()) >= 300 * 0.9


def test_killing_pool_children_at_any_moment_loses_and_doubles_nothing(worker: Processes) -> None:
    publish(*(placed(f"order-{number}") for number in range(ORDERS)))
    (billing,) = worker.start("billing")

    for _ in range(3):
        eventually(lambda: _kill_a_child(billing))

    assert_each_has_one_invoice_without_gaps(ORDERS)
    assert depth("billing.dlq") == 0


def test_an_outage_of_mongodb_in_a_batch_costs_no_attempt(
    worker: Processes, mongodb: MongoDB
) -> None:
    (billing,) = worker.start("billing")
    mongodb.kill()
    try:
        publish(*(placed(f"order-{number}") for number in range(100)))
        eventually(lambda: "no attempt is used up" in billing.log_tail())
    finally:
        mongodb.start()

    assert_each_has_one_invoice_without_gaps(100)
    assert depth("billing.dlq") == 0


def test_what_a_lost_connection_took_along_is_left_to_its_redelivery(
    worker: Processes, rabbitmq: RabbitMQ
) -> None:
    """A batch that fails while RabbitMQ is down does not run its messages beside their copies."""
    with Network() as network:
        proxy = network.proxy(rabbitmq.port)
        url = f"amqp://guest:guest@127.0.0.1:{proxy.port}//"
        (billing,) = worker.start("billing", AMQP_URL=url)
        # A worker begins with one message at a time, and then takes as many as it may.
        publish(placed("order-0"))
        eventually(lambda: len(invoice_numbers()) == 1 and not depth("billing"))
        # It can commit, and neither publish nor ack.
        proxy.hold([Direction.TO_SERVER])
        publish(*(placed(f"order-{number}") for number in range(1, 100)))
        eventually(lambda: len(invoice_numbers()) > 2)
        proxy.cut()
        # So long that whatever is at work gives up.
        given_up_at = time.monotonic() + PATIENCE_SECONDS + 2
        eventually(lambda: time.monotonic() > given_up_at)
        proxy.restore()

        assert_each_has_one_invoice_without_gaps(100)
        eventually(lambda: depth("billing") == 0)
        assert "the batch failed, so its" in billing.log_since_start()
        assert billing.log_since_start().count("Couldn't ack") <= POOL_CHILDREN


def _kill_a_child(process: Process) -> Any:
    children = [
        child
        for child in psutil.Process(process.pid).children()
        if child.status() != psutil.STATUS_ZOMBIE
    ]
    if children:
        os.kill(children[0].pid, signal.SIGKILL)
    return children
