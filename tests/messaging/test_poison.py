"""Every kind of poison, on every way in which a worker reads, with good orders beside it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterable

import pytest
from django.db import connection

from drills.traffic.poison import ORDER
from localservices.process import Process
from tests.broker import depth, publish, publish_poison, take_all
from tests.polling import eventually
from tests.processes import Processes
from tests.settled_rabbitmq import SettledRabbitMQ

INNOCENTS = [f"innocent-{number:02}" for number in range(20)]
SETTLED_SECONDS = 60


def place(order_ids: Iterable[str]) -> None:
    for order_id in order_ids:
        body = json.dumps({**ORDER, "orderId": order_id}).encode()
        publish(body, type="order.placed", content_type="application/json")


def poison_between_innocents() -> dict[str, str]:
    """The reason that each message of the poison has to die of, by its id."""
    place(INNOCENTS[::2])
    expected = publish_poison()
    place(INNOCENTS[1::2])
    return expected


def assert_settled(expected: dict[str, str]) -> None:
    """Each message of the poison is given up for its reason, and each innocent is handled."""
    died: dict[str, str] = {}

    def all_died() -> bool:
        for message in take_all("billing.dlq"):
            certificate = json.loads(message.headers["certificate"])
            assert certificate["message"]
            died[message.properties["message_id"]] = certificate["reason"]
        assert {name: died.get(name) for name in expected} == expected
        return True

    eventually(all_died, SETTLED_SECONDS)
    assert set(died) == set(expected)
    eventually(lambda: invoiced() == INNOCENTS)
    assert depth("billing") == 0


def test_arriving(processes: Processes) -> None:
    [worker] = processes.start("billing")
    assert_settled(poison_between_innocents())
    assert worker.running


def test_waiting_at_the_start(processes: Processes) -> None:
    expected = poison_between_innocents()
    [worker] = processes.start("billing")
    assert_settled(expected)
    assert worker.running


def test_waiting_at_a_reconnect(processes: Processes, rabbitmq: SettledRabbitMQ) -> None:
    """Given a worker that has read nothing of it, its connection is lost, and it makes another."""
    [worker] = processes.start("billing")
    worker.freeze()
    expected = poison_between_innocents()
    rabbitmq.control("close_all_connections", "for a test")
    eventually(lambda: depth("billing") == len(expected) + len(INNOCENTS))
    worker.thaw()

    assert_settled(expected)
    assert worker.running


@pytest.mark.parametrize("is_waiting", [True, False], ids=["waiting", "arriving"])
def test_over_tls(processes: Processes, rabbitmq: SettledRabbitMQ, is_waiting: bool) -> None:
    expected = poison_between_innocents() if is_waiting else {}
    [worker] = processes.start("billing", **rabbitmq.tls_settings)
    assert_settled(expected or poison_between_innocents())
    assert worker.running


def test_at_a_warm_shutdown(processes: Processes) -> None:
    """
    Given a worker whose socket is full of poison that it has not read yet
    When it is asked to stop, and so waits for RabbitMQ to cancel its consumer
    Then it ends in order, and the next worker finds all that it has not handled.
    """
    [worker] = processes.start("billing")
    worker.freeze()
    expected = poison_between_innocents()
    os.kill(worker.pid, signal.SIGTERM)
    worker.thaw()

    assert exit_code_of(worker) == 0
    processes.start("billing")
    assert_settled(expected)


def invoiced() -> list[str]:
    return sorted(invoice["_id"] for invoice in connection.database.invoices.find({}, {"_id": 1}))


def exit_code_of(process: Process) -> int:
    eventually(lambda: not process.running)
    return process.wait()
