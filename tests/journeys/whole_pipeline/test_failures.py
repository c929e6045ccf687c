"""A service that fails, and the operator who fixes it."""

from __future__ import annotations

import getpass
import json
import signal
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest
from django.conf import settings
from django.db import connection

from localservices.process import Process
from tests.broker import take_all
from tests.journeys.api import Api, await_failed_messages, listener, manage
from tests.journeys.whole_pipeline.conftest import Pipeline
from tests.journeys.whole_pipeline.failed import failed_messages
from tests.polling import eventually


@pytest.fixture(autouse=True)
def no_fault_stays() -> Iterator[None]:
    """What a failed test planted would fail the next one too."""
    yield
    connection.database["simulated_faults"].delete_many({})


def simulate_fault(service: str, kind: str) -> None:
    """Plant a fault for user 500 as an operator would."""
    planted = manage("simulate_fault", service, "--user", "500", "--kind", kind)
    assert planted.returncode == 0, planted.stderr


def plant(service: str, kind: str) -> None:
    """The same at once, where the command is not what is tested."""
    fault = {"service": service, "user_id": 500, "kind": kind}
    connection.database["simulated_faults"].insert_one(fault)


def test_user_500_from_failure_to_replay(api: Api) -> None:
    """
    Given billing fails for user 500
    When an order of theirs comes
    Then billing tries as often as its backoff schedule has steps, and one more; one failed message
    tells all of it; inventory ran once.
    When the fault is removed and the operator replays
    Then the order is confirmed, inventory did not run again, and the failed message says who
    resolved it, and when.
    """
    simulate_fault("billing", "error")
    with listener("inventory_events", "billing_events") as events:
        order_id = api.place(500)
        [failed] = await_failed_messages(1)

        assert api.states(order_id) == ("reserved", "pending")
        assert (failed["service"], failed["type"]) == ("billing", "order.placed")
        assert (failed["orderId"], failed["status"]) == (order_id, "failed")
        assert failed["reason"] == "attempts_used_up"
        attempts = len(settings.RETRY_DELAYS_SECONDS) + 1
        assert failed["attempts"] == attempts
        assert_certificate(failed["id"], attempts)

        simulate_fault("billing", "none")
        replayed = manage("failed_messages", "replay", failed["id"], "--by", "operator")
        assert replayed.returncode == 0, replayed.stdout + replayed.stderr
        api.await_status(order_id, "confirmed")
        events.listen()
        assert sorted(events.types(order_id)) == ["billing.invoiced", "inventory.reserved"]

    records = connection.database["failed_messages"]
    eventually(lambda: records.count_documents({"status": "resolved"}))
    [shown] = shown_as_json(failed["id"])
    assert (shown["resolvedBy"], shown["status"]) == (
        f"{getpass.getuser()} for operator",
        "resolved",
    )
    assert shown["resolvedAt"] > shown["lastFailedAt"]
    assert connection.database["invoices"].count_documents({"_id": order_id}) == 1


def assert_certificate(failed_id: str, attempts: int) -> None:
    [shown] = shown_as_json(failed_id)
    [certificate] = shown["certificates"]
    assert json.loads(shown["body"])["userId"] == 500
    assert shown["properties"]["type"] == "order.placed"
    assert certificate["handler"] == "billing.tasks.issue_invoice"
    assert [attempt["number"] for attempt in certificate["attempts"]] == list(
        range(1, attempts + 1)
    )
    for attempt in certificate["attempts"]:
        assert "SimulatedFailure" in attempt["exception"]
        assert attempt["traceback"].startswith("Traceback")
        assert attempt["worker"].startswith("billing@")


def shown_as_json(failed_id: str) -> list[dict]:
    shown = manage("failed_messages", "show", failed_id, "--json")
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)


def test_a_discard_needs_a_reason(api: Api) -> None:
    plant("billing", "permanent")
    api.place(500)
    [failed] = await_failed_messages(1)
    assert (failed["reason"], failed["attempts"]) == ("permanent_error", 1)

    without = manage("failed_messages", "discard", failed["id"])
    blank = manage("failed_messages", "discard", failed["id"], "--reason", "  ")
    assert without.returncode != 0
    assert "--reason" in without.stderr
    assert blank.returncode != 0
    assert "reason" in blank.stderr
    assert connection.database["failed_messages"].count_documents({"status": "failed"}) == 1

    discarded = manage("failed_messages", "discard", failed["id"], "--reason", "A test order")
    assert discarded.returncode == 0, discarded.stderr
    [shown] = shown_as_json(failed["id"])
    assert (shown["status"], shown["discardReason"]) == ("discarded", "A test order")


def test_while_inventory_fails_billing_runs_once(api: Api) -> None:
    plant("inventory", "error")
    with listener("inventory_events", "billing_events") as events:
        order_id = api.place(500)
        [failed] = await_failed_messages(1)
        events.listen()

        assert failed["service"] == "inventory"
        assert events.types(order_id) == ["billing.invoiced"]
    assert api.states(order_id) == ("pending", "invoiced")


def test_while_one_service_is_stopped_the_other_runs_once(pipeline: Pipeline, api: Api) -> None:
    """
    Given billing is stopped
    When orders are placed
    Then inventory reserves each once, and billing invoices each once after its return.
    """
    pipeline["billing"].stop()
    with listener("inventory_events", "billing_events") as events:
        order_ids = [api.place(101) for _ in range(5)]
        for order_id in order_ids:
            eventually(lambda order_id=order_id: api.states(order_id) == ("reserved", "pending"))

        pipeline.restart("billing")
        for order_id in order_ids:
            api.await_status(order_id, "confirmed")
        events.listen()
        for order_id in order_ids:
            assert events.types(order_id) == ["inventory.reserved", "billing.invoiced"]
    assert failed_messages() == []


def test_a_message_whose_worker_is_killed_each_time_is_given_up(
    pipeline: Pipeline, api: Api
) -> None:
    """
    Given billing takes long for user 500, and the pool child that does is killed (-9) each time
    Then after the delivery limit there is one failed message that counts the kills, others'
    orders are confirmed, and inventory ran once.
    """
    plant("billing", "slow")
    with listener("inventory_events") as events:
        order_id = api.place(500)
        # Billing's batch with the slow order in it has left by then.
        eventually(lambda: api.states(order_id) == ("reserved", "pending"))
        innocent_id = api.place(101)
        api.await_status(innocent_id, "confirmed")

        [failed] = kill_children_until_failed(pipeline["billing"], order_id)
        events.listen()
        assert events.types(order_id) == ["inventory.reserved"]

    assert (failed["service"], failed["reason"]) == ("billing", "delivery_limit")
    # Its first delivery may have shared a batch with others, so nobody knows who was to blame.
    # On a busy machine a child may die before it has begun, which uses up nothing of the limit.
    assert failed["attempts"] >= settings.DELIVERY_LIMIT
    another_id = api.place(101)
    api.await_status(another_id, "confirmed")
    # What the last kill has returned would be handled in the next journey.
    pipeline["billing"].stop()
    take_all("billing")
    pipeline.restart("billing")


def kill_children_until_failed(worker: Process, order_id: str) -> list[dict]:
    """Kill whoever may handle the order until it is given up."""
    records = connection.database["failed_messages"]

    def given_up() -> bool:
        if records.count_documents({"order_id": order_id}):
            return True
        for child in psutil.Process(worker.pid).children():
            with suppress(psutil.NoSuchProcess):
                # A child that the worker still starts has nothing in its hands yet.
                if child.create_time() < psutil.time.time() - 1:
                    child.send_signal(signal.SIGKILL)
        return False

    eventually(given_up)
    return await_failed_messages(1)
