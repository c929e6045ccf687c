"""A worker that is asked to stop finishes what it has begun, and gives back the rest undone."""

from __future__ import annotations

import random
import time

from django.conf import settings
from django.db import connection

from localservices.process import Process
from messaging.publishing.publisher import Outgoing, Publisher
from tests.broker import depth
from tests.messages import order_placed
from tests.polling import eventually
from tests.processes import Processes

#: More than the worker takes ahead.
ORDERS = 2_000
STOPS = 3
GRACE_SECONDS = 10.0


def placed(order_id: str) -> Outgoing:
    line = {"sku": "book", "quantity": 1, "unitPrice": "12.50"}
    return Outgoing(order_placed(order_id, userId=101, items=[line]), "", "billing")


def invoiced() -> set[str]:
    return {each["_id"] for each in connection.database.invoices.find({}, {"_id": True})}


def test_nothing_that_was_done_is_delivered_again(
    processes: Processes, chance: random.Random
) -> None:
    with Publisher(settings.AMQP_URL) as publisher:
        publisher.publish([placed(f"order-{number}") for number in range(ORDERS)])
    (billing,) = processes.start("billing")

    for _ in range(STOPS):
        some_more = len(invoiced()) + chance.randint(1, ORDERS // 10)
        eventually(lambda some_more=some_more: len(invoiced()) >= some_more)
        stop_warmly(billing)
        # It would be more, had it given back what it had done.
        eventually(lambda: depth("billing") + len(invoiced()) == ORDERS)
        billing.log.unlink()
        billing.start()
        processes.wait_for_workers([billing])

    # What came back runs alone, one after the other.
    eventually(lambda: len(invoiced()) == ORDERS)


def stop_warmly(worker: Process) -> None:
    started = time.monotonic()
    assert worker.stop(GRACE_SECONDS) == 0
    assert time.monotonic() - started < GRACE_SECONDS
