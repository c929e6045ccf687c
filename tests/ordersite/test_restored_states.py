"""Whatever a ledger and the services' records say after a restore, it is settled in the end."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from bson import ObjectId

from messaging.service import On, Service
from ordersite.restoring import comparison
from ordersite.restoring.comparison import compare, compare_others
from ordersite.restoring.findings import Findings
from ordersite.restoring.outcome import later

#: As many runs of the command as the drill makes.
RUNS = 6

INVENTORY = ("pending", "reserved", "rejected", "released", "shipped")
BILLING = ("pending", "invoiced", "credited")
RESERVATIONS = (None, "reserved", "rejected", "released", "shipped")
INVOICES = (None, "issued", "credited", "void")
STATES = list(product((False, True), INVENTORY, BILLING, RESERVATIONS, INVOICES, (False, True)))


class Pipeline:
    """One order and its services, as far as states go."""

    def __init__(self, state: Any) -> None:
        self.is_cancelled, self.inventory, self.billing = state[:3]
        self.reservation, self.invoice, self.is_in_stock = state[3:]
        #: Services with a failed message that waits for a person.
        self.held_up: set[str] = set()
        self.hear_news()

    @property
    def status(self) -> str:
        if self.is_cancelled:
            return "cancelled"
        if self.inventory in ("rejected", "shipped"):
            return str(self.inventory)
        return (
            "confirmed" if (self.inventory, self.billing) == ("reserved", "invoiced") else "placed"
        )

    def find(self) -> Findings:
        found = Findings()
        number = "2026-000001" if self.billing != "pending" else None
        order = {
            "_id": ObjectId("674300000000000000000001"),
            "status": self.status,
            "ledger": {
                "inventory": {"state": self.inventory, "detail": None},
                "billing": {"state": self.billing, "detail": number},
            },
        }
        reservation = self.reservation and {"state": self.reservation}
        invoice = self.invoice and {"state": self.invoice, "credit_reason": None}
        compare(found, order, reservation, invoice, self.held_up)
        return found

    def settle(self, found: Findings) -> None:
        """What the command does, and then the workers until nothing waits."""
        if found.uninvoiced:
            self.invoice = "issued"
        if found.taken_back and self.inventory != "shipped":
            self.is_cancelled = True
            self.hear("inventory", "order.cancelled")
            self.hear("billing", "order.cancelled")
        if found.unrejected:
            self.reservation = "rejected"
        if found.unreserved:
            self.reservation = "reserved"
        if found.unshipped:
            self.reservation = "shipped"
        for service, _, type_ in found.unheard:
            self.hear(service, type_)
        self.hear_news()

    def hear(self, service: str, type_: str) -> None:
        if service == "inventory":
            self.reserve(type_)
            self.inventory = later("inventory", self.inventory, self.reservation)
        else:
            self.bill(type_)
            told = "invoiced" if self.invoice == "issued" else "credited"
            self.billing = later("billing", self.billing, told)

    def reserve(self, type_: str) -> None:
        if type_ == "order.cancelled" and self.reservation == "shipped":
            self.held_up.add("inventory")
        elif type_ == "order.cancelled":
            self.reservation = "released"
        self.reservation = self.reservation or ("reserved" if self.is_in_stock else "rejected")

    def bill(self, type_: str) -> None:
        if type_ == "order.placed":
            self.invoice = self.invoice or "issued"
        else:
            self.invoice = "credited" if self.invoice in ("issued", "credited") else "void"

    def hear_news(self) -> None:
        """An order that becomes rejected is credited."""
        if self.status == "rejected" and self.billing != "credited":
            self.hear("billing", "order.rejected")


def settled(state: Any) -> Pipeline:
    """What is there when the command finds nothing more that it can do."""
    pipeline = Pipeline(state)
    for _ in range(RUNS):
        found = pipeline.find()
        # Nobody cancels what was shipped: that is left to a person.
        is_shipped = pipeline.inventory == "shipped" and found.count == len(found.taken_back)
        if not found.count or is_shipped:
            return pipeline
        pipeline.settle(found)
    pytest.fail(f"{RUNS} runs do not settle {state}: {vars(pipeline)}")


def test_each_state_is_settled_and_says_the_same_everywhere() -> None:
    for state in STATES:
        pipeline = settled(state)
        is_taken_back = pipeline.status in ("cancelled", "rejected")
        if is_taken_back:
            assert pipeline.reservation in ("released", "rejected", "shipped"), state
            assert pipeline.invoice in ("credited", "void"), state
        if pipeline.status == "confirmed":
            assert (pipeline.reservation, pipeline.invoice) == ("reserved", "issued"), state
        assert pipeline.status != "placed", state


ORDER: dict[str, Any] = {
    "_id": ObjectId("674300000000000000000001"),
    "awaited": ["announcing order.placed", "noting order.placed", "gone order.placed"],
}


def sent(monkeypatch: pytest.MonkeyPatch, other: Service, **held_up: set[str]) -> list[Any]:
    monkeypatch.setattr(comparison, "answering", lambda: (other,))
    found = Findings()
    compare_others(found, [ORDER], {str(ORDER["_id"]): set(held_up)})
    return found.unheard


def test_whatever_another_service_owes_the_order_is_sent_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = Service("announcing", listens=[On("order.placed", leads_to=["announced"])])

    assert sent(monkeypatch, other) == [("announcing", ORDER, "order.placed")]
    assert sent(monkeypatch, other, announcing=set()) == []


def test_what_a_service_has_noted_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the scheduler tells orders of it, and that starts last."""
    other = Service("noting", listens=[On("order.placed")], notes="somewhere")
    noted: set[str] = set()
    monkeypatch.setattr(
        comparison, "notes", lambda service: SimpleNamespace(noted=lambda *_: noted)
    )

    assert sent(monkeypatch, other) == [("noting", ORDER, "order.placed")]
    noted.add(str(ORDER["_id"]))
    assert sent(monkeypatch, other) == []
