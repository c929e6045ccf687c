"""Whatever orders come, however often and however many at once, no unit appears or vanishes."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.order_in_message import PlacedOrder
from inventory.reserving import products, reservations, reserve
from tests.concurrency import at_once
from tests.emptying import empty_collections
from tests.inventory.catalogue import stock, stocked

pytestmark = pytest.mark.usefixtures("clean")

SKUS = ("pen", "book", "lamp")

stocks = st.fixed_dictionaries({sku: st.integers(0, 12) for sku in SKUS})
orders = st.builds(
    PlacedOrder,
    # Few ids, so that most sequences hold duplicates.
    order_id=st.sampled_from([f"o{n}" for n in range(6)]),
    user_id=st.just(101),
    quantities=st.dictionaries(st.sampled_from(SKUS), st.integers(1, 5), min_size=1),
)
few_but_real = settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@few_but_real
@given(stocks, st.lists(orders, max_size=12))
def test_one_after_another(units: dict[str, int], deliveries: list[PlacedOrder]) -> None:
    empty_collections()
    stocked(**units)

    for order in deliveries:
        reserve(order)

    assert_books_balance(units, deliveries)


@few_but_real
@given(stocks, st.lists(orders, min_size=2, max_size=8))
def test_all_at_once(units: dict[str, int], deliveries: list[PlacedOrder]) -> None:
    empty_collections()
    stocked(**units)

    at_once([partial(reserve, order) for order in deliveries])

    assert_books_balance(units, deliveries)


def assert_books_balance(units: dict[str, int], deliveries: list[PlacedOrder]) -> None:
    promised: Counter[str] = Counter()
    for reservation in reservations().find({"state": "reserved"}):
        for line in reservation["items"]:
            promised[line["sku"]] += line["quantity"]

    for sku, total in units.items():
        available, reserved = stock(sku)
        assert available >= 0
        assert available + reserved == total
        assert reserved == promised[sku]
    assert reservations().count_documents({}) == len({order.order_id for order in deliveries})
    assert products().count_documents({}) == len(units)
