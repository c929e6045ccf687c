"""A planted fault makes one service fail for one user, in development only."""

from __future__ import annotations

import os
import signal
import time
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from messaging.errors import PermanentError
from messaging.handling.call import BatchCall
from messaging.handling.handlers import HANDLERS
from messaging.handling.middlewares import around_a_batch, around_a_message
from ordersite.simulated_faults import injecting
from ordersite.simulated_faults.injecting import SimulatedFailure, inject
from ordersite.simulated_faults.models import SimulatedFault

pytestmark = pytest.mark.usefixtures("clean")

ORDER_OF_500 = {"orderId": "6743f0", "userId": 500, "items": ["book"]}


def command(*arguments: str) -> str:
    """What the command says."""
    said = StringIO()
    call_command(*arguments, stdout=said)
    return said.getvalue()


def plant(kind: str) -> str:
    return command("simulate_fault", "billing", "--user", "500", "--kind", kind)


def handles(service: str, *orders: Any) -> None:
    handler = HANDLERS[service, "order.placed"]
    inject(
        BatchCall(
            service=service,
            type="order.placed",
            handler=handler,
            raw=[],
            publishers=[],
            bodies=[*orders],
        ),
        list,
    )


def billing_handles(*orders: Any) -> None:
    handles("billing", *orders)


def test_development_asks_for_faults_before_each_handler() -> None:
    assert inject in around_a_message()
    assert inject in around_a_batch()


def test_an_error_fails_billing_for_that_user_alone() -> None:
    assert "billing now fails for user 500" in plant("error")

    with pytest.raises(SimulatedFailure, match="billing fails for user 500"):
        billing_handles({"userId": 101}, ORDER_OF_500)
    billing_handles({"userId": 101})
    handles("inventory", ORDER_OF_500)


def test_a_permanent_fault_is_a_permanent_error() -> None:
    plant("permanent")

    with pytest.raises(PermanentError):
        billing_handles(ORDER_OF_500)


def test_a_slow_fault_takes_longer_than_the_time_limit(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    plant("slow")
    monkeypatch.setattr(injecting, "SLOWER_THAN_ALLOWED_SECONDS", 0.1)

    settings.TASK_SOFT_TIME_LIMIT_SECONDS = 0.2
    began = time.monotonic()
    billing_handles(ORDER_OF_500)

    assert time.monotonic() - began >= 0.3


def test_a_crash_kills_the_process_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    plant("crash")
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append((pid, number)))

    billing_handles(ORDER_OF_500)

    assert killed == [(os.getpid(), signal.SIGKILL)]


def test_a_removed_fault_fails_nothing() -> None:
    plant("error")

    assert "no longer fails" in plant("none")
    assert "nothing changed" in plant("none")
    billing_handles(ORDER_OF_500)


def test_another_kind_replaces_the_first() -> None:
    plant("error")
    plant("permanent")

    assert [fault.kind for fault in SimulatedFault.objects.all()] == ["permanent"]


@pytest.mark.parametrize(
    "body",
    [None, [], "500", {}, {"userId": "500"}, {"userId": {"$gt": 0}}, {"userId": 2**63}],
)
def test_a_hostile_body_meets_no_fault_and_hides_nobody_elses(body: Any) -> None:
    plant("error")

    assert billing_handles(body) is None
    with pytest.raises(SimulatedFailure, match="billing fails for user 500"):
        billing_handles(body, ORDER_OF_500, body)


def test_the_demo_fault_stays_removed() -> None:
    assert "now fails for user 500" in command("load_demo_faults")
    plant("none")

    assert "nothing is changed" in command("load_demo_faults")
    assert not SimulatedFault.objects.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["load_demo_faults"],
        ["simulate_fault", "billing", "--user", "500", "--kind", "error"],
        ["ensure_admin"],
    ],
)
@override_settings(SIMULATED_FAULTS=False, DEBUG=False)
def test_outside_development_nothing_is_planted(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="development only"):
        command(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["shipping", "--user", "500", "--kind", "error"],
        ["billing", "--user", "many", "--kind", "error"],
        ["billing", "--user", str(2**63), "--kind", "error"],
        ["billing", "--user", "500", "--kind", "odd"],
    ],
)
def test_a_bad_argument_is_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        command("simulate_fault", *arguments)
