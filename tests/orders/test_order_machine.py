"""An order as a state machine: whatever is heard of it, in whatever sequence and however often."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from messaging.service import answering
from runtime.requests.refusal import Refusal
from tests.orders.test_ledger import hear, placed, seen

pytestmark = pytest.mark.usefixtures("services")

SEQUENCES = {service.name: service.states for service in answering()}
OUTCOMES = [state for states in SEQUENCES.values() for state in states[1:]]


class Order(RuleBasedStateMachine):
    """Services answer early, late and twice; the customer cancels at any moment.

    The machine keeps what it knows itself: what was heard, and whether the order was cancelled.
    """

    @initialize()
    def place(self) -> None:
        self.order_id = placed()
        self.heard: set[str] = set()
        self.is_cancelled = False

    @rule(outcome=st.sampled_from(OUTCOMES))
    def a_service_answers(self, outcome: str) -> None:
        hear(self.order_id, outcome)
        self.heard.add(outcome)

    @rule()
    def the_customer_cancels(self) -> None:
        is_too_late = "shipped" in self.heard and not self.is_cancelled
        with suppress(Refusal):
            hear(self.order_id, "cancelled")
            assert not is_too_late
        self.is_cancelled = not is_too_late

    @invariant()
    def the_ledger_holds_the_latest_state_of_each_service(self) -> None:
        order = seen(self.order_id)
        for service in SEQUENCES:
            assert order["ledger"][service]["state"] == self.latest(service)
        assert order["version"] == 1 + len(self.heard) + self.is_cancelled
        assert {step["state"] for step in order.get("steps", [])} == self.heard

    @invariant()
    def the_status_follows_from_what_was_heard(self) -> None:
        assert seen(self.order_id)["status"] == self.expected_status()

    @invariant()
    def each_event_is_pending_once(self) -> None:
        types = [event["type"] for event in seen(self.order_id)["pending_events"]]
        assert types[0] == "order.placed"
        assert len(types) == len(set(types))
        assert ("order.cancelled" in types) == self.is_cancelled

    @invariant()
    def what_is_owed_is_what_was_never_answered(self) -> None:
        order = seen(self.order_id)
        happened = {event["type"] for event in order["pending_events"]}
        assert set(order.get("awaited", ())) == {
            f"{service.name} {on.type}"
            for service in answering()
            for on in service.listens
            if on.type in happened and not service.ends(on) & self.heard
        }

    def latest(self, service: str) -> str:
        return max(
            ("pending", *(self.heard & set(SEQUENCES[service]))), key=SEQUENCES[service].index
        )

    def expected_status(self) -> str:
        if self.is_cancelled:
            return "cancelled"
        if self.latest("inventory") == "rejected":
            return "rejected"
        if self.latest("inventory") == "shipped":
            return "shipped"
        has_goods = self.latest("inventory") in ("reserved",)
        return "confirmed" if has_goods and self.latest("billing") == "invoiced" else "placed"


def test_an_order_ends_right_whatever_is_heard_of_it() -> None:
    checks: Any = [HealthCheck.too_slow]
    run_state_machine_as_test(
        Order,
        settings=settings(max_examples=40, stateful_step_count=12, suppress_health_check=checks),
    )
