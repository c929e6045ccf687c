"""Messages that a worker held and never began: they may be returned as often as it happens."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection

from failed_messages.models import FailedMessage
from localservices.process import Process
from ordersite.simulated_faults.models import SimulatedFault
from tests.broker import depth, publish, take_all
from tests.polling import eventually
from tests.processes import Processes

SLOW_USER, CRASHING_USER, OTHER_USER = 500, 501, 101


def place(order_id: str, user_id: int = OTHER_USER, **properties: Any) -> None:
    line = {"sku": "book", "quantity": 1, "unitPrice": "12.50"}
    body = {"orderId": order_id, "userId": user_id, "items": [line]}
    named = {"message_id": f"order.placed:{order_id}", "type": "order.placed"}
    publish(
        json.dumps(body).encode(),
        exchange="",
        routing_key="billing",
        **{"content_type": "application/json", **named, **properties},
    )


def invoiced() -> set[str]:
    return {each["_id"] for each in connection.database.invoices.find({}, {"_id": True})}


@pytest.fixture
def slow_user(clean: None) -> Iterator[Callable[[], None]]:
    """Billing hangs for one user's orders, until what this yields is called."""
    SimulatedFault.objects.create(service="billing", user_id=SLOW_USER, kind="slow")
    yield lambda: SimulatedFault.objects.all().delete()
    SimulatedFault.objects.all().delete()


def place_slow_ones_and_others(slow: int, others: int) -> set[str]:
    """Those that hang are the first ones; all their ids."""
    ids = [f"slow-{number}" for number in range(slow)]
    for order_id in ids:
        place(order_id, SLOW_USER)
    for number in range(others):
        place(f"other-{number}")
        ids.append(f"other-{number}")
    return set(ids)


def restart(processes: Processes, worker: Process) -> None:
    worker.log.unlink()
    worker.start()
    processes.wait_for_workers([worker])


def test_what_waits_behind_slow_ones_survives_each_kill_of_the_worker(
    processes: Processes, slow_user: Callable[[], None]
) -> None:
    """Given 42 orders wait behind four that hang, when the worker's main process is killed more
    often than a message may be killed with its worker, then those 42 become invoices."""
    ids = place_slow_ones_and_others(slow=4, others=42)
    # Those that hang do so until the end of the test: a run whose process lives was not killed.
    (billing,) = processes.start(
        "billing",
        DELIVERY_LIMIT="2",
        TASK_SOFT_TIME_LIMIT_SECONDS="150",
        TASK_TIME_LIMIT_SECONDS="160",
    )
    orphaned = []
    try:
        for kills_left in reversed(range(3)):
            eventually(lambda: depth("billing") == 0)
            orphaned.append(billing.pid)
            os.kill(billing.pid, signal.SIGKILL)
            billing.wait()
            eventually(lambda: depth("billing") > 0)
            if not kills_left:
                slow_user()
            restart(processes, billing)

        innocent = {each for each in ids if each.startswith("other")}
        eventually(lambda: invoiced() >= innocent)
    finally:
        for group in orphaned:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
    # Who was running when the worker was killed may be given up for that, and nobody else.
    given_up = {message.properties["message_id"] for message in take_all("billing.dlq")}
    assert given_up <= {f"order.placed:slow-{number}" for number in range(4)}


def test_what_waits_survives_each_orderly_stop(
    processes: Processes, slow_user: Callable[[], None]
) -> None:
    """Given a limit of two, when a worker that holds 40 is stopped three times, then none fails."""
    ids = place_slow_ones_and_others(slow=4, others=36)
    (billing,) = processes.start(
        "billing",
        DELIVERY_LIMIT="2",
        TASK_SOFT_TIME_LIMIT_SECONDS="2",
        # As the suite's, so that no queue of other delays is left behind.
        RETRY_DELAYS_SECONDS=",".join(["0.4"] * 20),
    )
    for _ in range(3):
        eventually(lambda: depth("billing") == 0)
        assert billing.stop(seconds=20) == 0
        restart(processes, billing)
    slow_user()

    eventually(lambda: invoiced() == ids)
    assert depth("billing.dlq") == 0


def test_who_kills_its_worker_fails_alone(processes: Processes, clean: None) -> None:
    """Given one order kills whoever handles it, then it alone fails, with the number of kills."""
    SimulatedFault.objects.create(service="billing", user_id=CRASHING_USER, kind="crash")
    for number in range(20):
        place(f"before-{number}")
    place("crashing", CRASHING_USER)
    place("crashing too", CRASHING_USER, message_id=None, type=None)
    for number in range(20):
        place(f"after-{number}")
    processes.start("billing", "archiver")

    eventually(lambda: len(invoiced()) == 40 and FailedMessage.objects.count() == 2)
    SimulatedFault.objects.all().delete()

    for failed in FailedMessage.objects.all():
        assert failed.user_id == str(CRASHING_USER)
        assert failed.reason == "delivery_limit"
        assert "the worker process was killed 3 times while it handled" in failed.message
        assert failed.attempts == 3
