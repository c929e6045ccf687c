"""A message that fails: its attempts, backoff schedule and certificate, and who is left alone."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.db import connection

from failed_messages.acting.waiting_retries import retry_now, stop_retrying
from failed_messages.models import AuditEntry
from localservices.mongodb import MongoDB
from localservices.process import Process
from messaging.certificate import decode_certificate
from ordersite.simulated_faults.models import SimulatedFault
from tests.broker import depth, publish, take
from tests.polling import eventually
from tests.processes import Processes
from tests.settled_rabbitmq import SettledRabbitMQ
from tests.waiting_retry import a_retry_waits


def order(order_id: str, user_id: int = 500) -> bytes:
    line = {"sku": "book", "quantity": 1, "unitPrice": "12.50"}
    return json.dumps({"orderId": order_id, "userId": user_id, "items": [line]}).encode()


def place(order_id: str, user_id: int = 500) -> None:
    publish(
        order(order_id, user_id),
        content_type="application/json",
        type="order.placed",
        message_id=f"order.placed:{order_id}",
        correlation_id=order_id,
    )


def invoice(order_id: str) -> Any:
    return connection.database.invoices.find_one({"_id": order_id})


@pytest.fixture(scope="module")
def worker(module_processes: Processes) -> Process:
    """Billing's worker."""
    return module_processes.start("billing")[0]


@pytest.fixture
def fault(clean: None) -> Iterator[Any]:
    """Plants a simulated fault for billing and user 500."""

    def plant(kind: str) -> None:
        SimulatedFault.objects.create(service="billing", user_id=500, kind=kind)

    yield plant
    SimulatedFault.objects.all().delete()


def test_attempts_used_up(worker: Process, fault: Any) -> None:
    """Given billing fails for a user, when the order comes, then it dies after three attempts."""
    fault("error")

    place("used-up")
    message = eventually(lambda: take("billing.dlq"))

    certificate = decode_certificate(message.headers["certificate"])
    assert certificate is not None
    assert certificate.reason == "attempts_used_up"
    assert certificate.handler == "billing.tasks.issue_invoice"
    assert [attempt.number for attempt in certificate.attempts] == [1, 2, 3]
    assert all("Traceback" in attempt.traceback for attempt in certificate.attempts)
    assert certificate.original is not None
    assert certificate.original.exchange == "order_events"
    assert message.body == order("used-up")
    assert message.properties["message_id"] == "order.placed:used-up"
    assert message.properties["correlation_id"] == "used-up"
    # Inventory has no worker here: it got the event once, and no retry after it.
    assert depth("inventory") == 1


def test_an_operator_lets_one_retry_run_now_and_ends_another(worker: Process, clean: None) -> None:
    """Given two that wait for long, then one is done at once, and the other a failed message."""
    sooner, never = "6743" + "a" * 20, "6743" + "b" * 20
    waiting = {each: a_retry_waits(each, order(each)) for each in (sooner, never)}

    assert retry_now(waiting[sooner], "anna").done
    assert stop_retrying(waiting[never], "anna", "the card was blocked").done

    message = eventually(lambda: take("billing.dlq"))
    certificate = decode_certificate(message.headers["certificate"])
    assert certificate is not None
    assert (certificate.reason, len(certificate.attempts)) == ("stopped", 1)
    assert certificate.message == "stopped by anna: the card was blocked"
    eventually(lambda: invoice(sooner))
    assert invoice(never) is None
    acts = AuditEntry.objects.order_by("at").values_list("act", "subject_id")
    assert [*acts] == [("retry now", waiting[sooner]), ("stop retrying", waiting[never])]
    late = eventually(lambda: verdict_unless_done(waiting[sooner]))
    assert "it came too late: billing has handled it since" in late


def verdict_unless_done(retry_id: str) -> str:
    verdict = retry_now(retry_id, "bob")
    return verdict.detail if "handled it since" in verdict.detail else ""


def test_a_full_retry_queue_is_an_outage(
    worker: Process, fault: Any, rabbitmq: SettledRabbitMQ
) -> None:
    """Given no more retries can wait, then messages wait where they are, and nothing dies."""
    fault("error")
    rabbitmq.control(
        "set_policy", "full", "^billing.retry", '{"max-length": 1, "message-ttl": 60000}'
    )
    try:
        for number in range(6):
            place(f"full-{number}")
        eventually(lambda: "a queue behind it is full" in worker.log_tail(200))
        assert depth("billing.dlq") == 0
        SimulatedFault.objects.all().delete()
    finally:
        rabbitmq.control("clear_policy", "full")

    for number in range(6):
        eventually(lambda number=number: invoice(f"full-{number}"))
    assert depth("billing.dlq") == 0


def test_a_format_of_a_newer_release_is_left_to_its_workers(worker: Process, clean: None) -> None:
    """Given no worker of a newer release, then it fails visibly, and older formats are done."""
    json_ = {"content_type": "application/json", "type": "order.placed"}
    publish(order("newer", 101), headers={"schema-version": 2}, message_id="newer", **json_)
    publish(order("older", 101), headers={"schema-version": 0}, message_id="older", **json_)
    publish(order("unnamed", 101), message_id="unnamed", **json_)

    message = eventually(lambda: take("billing.dlq"))

    certificate = decode_certificate(message.headers["certificate"])
    assert certificate is not None
    assert certificate.reason == "attempts_used_up"
    assert "schema-version 2 of order.placed is newer than 1" in certificate.message
    assert message.headers["schema-version"] == 2
    eventually(lambda: invoice("older") and invoice("unnamed"))
    assert invoice("newer") is None


def test_a_permanent_error_is_not_retried(worker: Process, fault: Any) -> None:
    fault("permanent")

    place("permanent")
    message = eventually(lambda: take("billing.dlq"))

    certificate = decode_certificate(message.headers["certificate"])
    assert certificate is not None
    assert certificate.reason == "permanent_error"
    assert len(certificate.attempts) == 1


def test_a_fault_that_goes_away_is_ridden_out(worker: Process, fault: Any) -> None:
    fault("error")
    place("retried")
    eventually(lambda: depth("billing.retry.200ms") or depth("billing.retry.400ms"))

    SimulatedFault.objects.all().delete()

    eventually(lambda: invoice("retried"))
    assert depth("billing.dlq") == 0
    # Whoever hears of the outcome hears how many attempts it took.
    invoiced = eventually(lambda: take("orders"))
    assert invoiced.headers["attempt"] in (2, 3)


def test_a_handler_that_kills_its_process_ends_at_the_delivery_limit(
    worker: Process, fault: Any
) -> None:
    """Given a message that kills whoever handles it, then it dies, and the worker does not."""
    fault("crash")

    place("crash")
    place("innocent", user_id=101)

    message = eventually(lambda: take("billing.dlq"))
    certificate = decode_certificate(message.headers["certificate"])
    assert certificate is not None
    assert (certificate.reason, certificate.kills) == ("delivery_limit", settings.DELIVERY_LIMIT)
    assert certificate.attempts == ()
    assert message.properties["message_id"] == "order.placed:crash"
    eventually(lambda: invoice("innocent"))
    assert worker.running


def test_a_killed_pool_child_loses_nothing(worker: Process, clean: None) -> None:
    parent = psutil.Process(worker.pid)
    for number in range(30):
        place(f"kill-{number}", user_id=101)
    os.kill(parent.children()[0].pid, signal.SIGKILL)

    for number in range(30):
        eventually(lambda number=number: invoice(f"kill-{number}"))
    assert depth("billing.dlq") == 0


def test_an_outage_of_mongodb_uses_up_no_attempt(
    worker: Process, clean: None, mongodb: MongoDB
) -> None:
    """Given MongoDB is down for longer than all retries take, then nothing dies of it."""
    mongodb.kill()
    try:
        for number in range(5):
            place(f"outage-{number}", user_id=101)
        eventually(lambda: "no attempt is used up" in worker.log_tail())
    finally:
        mongodb.start()

    for number in range(5):
        eventually(lambda number=number: invoice(f"outage-{number}"))
    assert depth("billing.dlq") == 0
    assert "gave up order.placed:outage" not in worker.log.read_text()
