"""Work that is missing shows as plainly as work that has failed, and is sent again."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from kombu import Connection

from ordersite.pipeline.conservation import Line, lines
from tests.polling import eventually
from tests.processes import ROOT, Processes, process_environment

ORDERS = 5
SOON = {"RECONCILE_AFTER_SECONDS": "1"}


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """An order counts as missing after a second."""
    monkeypatch.setattr(settings, "RECONCILE_AFTER_SECONDS", 1)


@pytest.fixture
def order_ids(processes: Processes, soon: None) -> list[str]:
    """Orders that inventory has done, whose messages for billing were deleted from its queue."""
    from django.core.management import call_command

    from orders import placing
    from orders.requests.order_request import OrderRequest

    call_command("load_demo_products", verbosity=0)
    placed = [
        str(placing.place(OrderRequest(user_id=101, items=["book"]))["_id"]) for _ in range(ORDERS)
    ]
    processes.start("relay", "inventory", "orders")
    eventually(lambda: line_of("inventory").done == ORDERS)
    with Connection(settings.AMQP_URL) as broker:
        assert broker.channel().queue_purge("billing") == ORDERS
    return placed


def line_of(service: str) -> Line:
    return next(line for line in lines() if line.service == service)


def run(*arguments: str) -> Any:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**process_environment(), **SOON},
        capture_output=True,
        text=True,
        timeout=180,
    )


def test_deleted_messages_make_the_line_red_name_the_orders_and_heal(
    processes: Processes, order_ids: list[str]
) -> None:
    """
    Given messages that were deleted from billing's queue by hand
    Then the line names their orders, and inventory's line stays whole
    And the reconciler sends them to billing alone, until nothing is missing.
    """
    broken = eventually(lambda: (line := line_of("billing")).unaccounted == ORDERS and line)
    assert set(broken.orders) == set(order_ids)
    assert line_of("inventory").unaccounted == 0
    told = run("conservation", "--json")
    assert told.returncode == 1
    billing = next(each for each in json.loads(told.stdout) if each["service"] == "billing")
    assert billing["unaccounted"] == ORDERS
    assert set(billing["orders"]) == set(order_ids)

    processes.start("billing")
    processes.run("scheduler", "python manage.py scheduler", **SOON)

    eventually(lambda: line_of("billing").done == ORDERS)
    assert run("conservation").returncode == 0
    statuses = {order["status"] for order in connection.database.orders.find({})}
    assert statuses == {"confirmed"}
    assert connection.database.reservations.count_documents({}) == ORDERS


def test_an_idle_system_is_whole(clean: None) -> None:
    assert [(line.accepted, line.unaccounted) for line in lines()] == [(0, 0), (0, 0)]
