"""Stock as a state machine: whatever comes, in whatever sequence and however often, it adds up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from pymongo.errors import BulkWriteError

from inventory.batches import NotAllReserved, reserve_many
from inventory.order_in_message import PlacedOrder
from inventory.recounting import recount
from inventory.refusals import NotReserved, UnknownReservation
from inventory.releasing import release
from inventory.reserving import products, reservations, reserve
from inventory.restocking import deliver
from inventory.shipping import ship
from messaging.errors import PermanentError
from tests.emptying import empty_collections
from tests.inventory.catalogue import stocked

pytestmark = pytest.mark.usefixtures("clean")

SKUS = ("pen", "book", "lamp")
quantities = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 4), min_size=1)


class Stock(RuleBasedStateMachine):
    """Orders are placed, and their events delivered: late, early, twice or never.

    The machine keeps what it knows itself: the units that came in, and what became of each order.
    """

    orders: Bundle[PlacedOrder] = Bundle("orders")

    @initialize(units=st.fixed_dictionaries({sku: st.integers(0, 8) for sku in SKUS}))
    def open_the_shop(self, units: dict[str, int]) -> None:
        empty_collections()
        stocked(**units)
        self.came_in = dict(units)
        self.states: dict[str, str] = {}
        self.customers = self.deliveries = 0

    @rule(target=orders, asked=st.lists(quantities, min_size=1, max_size=3))
    def customers_decide(self, asked: list[dict[str, int]]) -> Any:
        start = self.customers
        self.customers += len(asked)
        return multiple(
            *(PlacedOrder(f"o{start + n}", 101, lines) for n, lines in enumerate(asked))
        )

    @rule(order=orders)
    def placed_arrives(self, order: PlacedOrder) -> None:
        before = self.states.get(order.order_id)
        fits = all(units <= self.available(sku) for sku, units in order.quantities.items())

        state = reserve(order)["state"]

        assert state == (before or ("reserved" if fits else "rejected"))
        self.states[order.order_id] = state

    @rule(batch=st.lists(orders, min_size=1, max_size=4))
    def placed_arrive_together(self, batch: list[PlacedOrder]) -> None:
        with suppress(NotAllReserved, BulkWriteError):
            for order, answer in zip(batch, reserve_many(batch), strict=True):
                assert answer["state"] == self.states.get(order.order_id, "reserved")
                self.states[order.order_id] = answer["state"]

    @rule(order=orders)
    def cancelled_arrives(self, order: PlacedOrder) -> None:
        if self.states.get(order.order_id) == "shipped":
            with pytest.raises(PermanentError, match="too late"):
                release(order)
            return
        assert release(order)["state"] == "released"
        self.states[order.order_id] = "released"

    @rule(order=orders)
    def an_operator_ships(self, order: PlacedOrder) -> None:
        before = self.states.get(order.order_id)
        try:
            ship(order.order_id, by="operator")
        except (NotReserved, UnknownReservation):
            assert before in (None, "rejected", "released")
        else:
            assert before in ("reserved", "shipped")
            self.states[order.order_id] = "shipped"

    @rule(sku=st.sampled_from(SKUS), quantity=st.integers(1, 5), twice=st.booleans())
    def goods_come_in(self, sku: str, quantity: int, twice: bool) -> None:
        self.deliveries += 1
        for _ in range(1 + twice):
            deliver(sku, quantity, key=f"note {self.deliveries}", by="operator")
        self.came_in[sku] += quantity

    @invariant()
    def no_unit_appears_or_vanishes(self) -> None:
        for sku, product in self.stock():
            assert product["available"] >= 0
            assert product["reserved"] == self.held(sku, "reserved")
            assert product["shipped"] == self.held(sku, "shipped")
            assert (
                sum(product[each] for each in ("available", "reserved", "shipped"))
                == (self.came_in[sku])
            )

    @invariant()
    def every_order_stands_as_it_was_answered(self) -> None:
        recorded = {each["_id"]: each["state"] for each in reservations().find()}
        assert recorded == self.states

    @invariant()
    def the_movements_tell_the_same(self) -> None:
        assert recount().differences == []

    def stock(self) -> Iterator[tuple[str, dict[str, Any]]]:
        return ((product["sku"], product) for product in products().find())

    def available(self, sku: str) -> int:
        return next(product["available"] for each, product in self.stock() if each == sku)

    def held(self, sku: str, state: str) -> int:
        """The units of the SKU in the orders that are in this state."""
        found = reservations().find({"state": state})
        lines = (line for reservation in found for line in reservation["items"])
        return sum(line["quantity"] for line in lines if line["sku"] == sku)


def test_stock_adds_up_whatever_comes() -> None:
    run_state_machine_as_test(
        Stock,
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            suppress_health_check=list(HealthCheck),
        ),
    )
