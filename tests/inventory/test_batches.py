"""A batch reserves what its orders would have reserved one by one, or nothing at all."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.batches import NotAllReserved, reserve_many, reserve_plenty
from inventory.order_in_message import PlacedOrder
from inventory.reserving import products, reservations, reserve
from tests.concurrency import at_once
from tests.emptying import empty_collections
from tests.inventory.catalogue import order, stock, stocked

pytestmark = pytest.mark.usefixtures("clean")

SKUS = ("pen", "book", "lamp")


def books() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All that inventory has recorded, apart from when and under which product id."""
    return (
        list(products().find({}, {"_id": 0}, sort=[("sku", 1)])),
        list(reservations().find({}, {"created_at": 0}, sort=[("_id", 1)])),
    )


def test_a_batch_answers_each_of_its_orders_in_sequence() -> None:
    stocked(pen=10, book=10, lamp=10)

    answers = reserve_many([order("o2", pen=2, book=2), order("o1", lamp=1)])

    assert [answer["_id"] for answer in answers] == ["o2", "o1"]
    assert (stock("pen"), stock("book"), stock("lamp")) == ((8, 2), (8, 2), (9, 1))
    assert reserve(order("o1", lamp=1))["state"] == "reserved"
    assert stock("lamp") == (9, 1)


def test_an_order_that_was_answered_before_gets_the_same_answer_in_a_batch() -> None:
    stocked(pen=10)
    reserve(order("known", pen=2))
    reserve(order("rejected", pen=100))

    answers = reserve_many([order("rejected", pen=100), order("new", pen=1), order("known", pen=2)])

    assert [(each["_id"], each["state"]) for each in answers] == [
        ("rejected", "rejected"),
        ("new", "reserved"),
        ("known", "reserved"),
    ]
    assert stock("pen") == (7, 3)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.dictionaries(st.sampled_from(SKUS), st.integers(1, 5), min_size=1),
        min_size=1,
        max_size=8,
    )
)
def test_a_batch_records_what_single_orders_record(asked: list[dict[str, int]]) -> None:
    orders = [PlacedOrder(f"o{n}", 101, quantities) for n, quantities in enumerate(asked)]

    empty_collections()
    stocked(pen=100, book=100, lamp=100)
    reserve_many(orders)
    in_a_batch = books()

    empty_collections()
    stocked(pen=100, book=100, lamp=100)
    for each in orders:
        reserve(each)

    assert in_a_batch == books()


@pytest.mark.parametrize(
    ("orders", "error"),
    [
        ([order("o1", pen=2), order("o2", pen=2)], NotAllReserved),
        ([order("o1", pen=1), order("o2", globe=1)], NotAllReserved),
    ],
    ids=["stock doesn't reach", "unknown SKU"],
)
def test_a_batch_that_cannot_be_reserved_whole_leaves_no_trace(
    orders: list[PlacedOrder], error: type[Exception]
) -> None:
    stocked(pen=3, book=1)
    reserve(order("known", book=1))
    before = books()

    with pytest.raises(error):
        reserve_many(orders)

    assert books() == before


def test_what_is_scarce_is_left_alone_and_holds_up_no_other_order() -> None:
    stocked(pen=10, book=1)
    orders = [
        order("o1", pen=1),
        order("o2", pen=1, book=1),
        order("o3", book=1),
        order("o4", globe=1),
        order("o5", pen=2),
    ]

    answers = reserve_plenty(orders)

    assert [answer and answer["_id"] for answer in answers] == ["o1", None, None, None, "o5"]
    assert (stock("pen"), stock("book")) == ((7, 3), (1, 0))
    assert reserve_plenty(orders[1:3]) == [None, None]


@pytest.mark.parametrize("wrong", ["5", None, "gone"])
def test_a_product_of_another_program_holds_up_no_other_order(wrong: str | None) -> None:
    stocked(pen=10, book=10)
    change = {"$unset": {"available": ""}} if wrong == "gone" else {"$set": {"available": wrong}}
    products().update_one({"sku": "pen"}, change)

    answers = reserve_plenty([order("o1", pen=1), order("o2", book=1)])

    assert [answer["state"] if answer else None for answer in answers] == [None, "reserved"]


def test_an_order_that_is_twice_in_a_batch_is_reserved_once() -> None:
    """Given repeated deliveries, also with another content, then the first counts."""
    stocked(pen=3, book=3)

    answers = reserve_many([order("o1", pen=2), order("o2", book=1), order("o1", pen=3)])

    assert [each["_id"] for each in answers] == ["o1", "o2", "o1"]
    assert answers[0] == answers[2]
    assert stock("pen") == (1, 2)


def test_batches_and_single_orders_at_once_keep_the_books_balanced() -> None:
    stocked(pen=1_000, book=1_000)

    def batch(n: int) -> None:
        reserve_many([order(f"b{n}-{i}", pen=1, book=2) for i in range(20)])

    at_once(
        [
            *(partial(batch, n) for n in range(6)),
            *(partial(reserve, order(f"s{n}", pen=3)) for n in range(6)),
        ]
    )

    assert stock("pen") == (1_000 - 138, 138)
    assert stock("book") == (1_000 - 240, 240)
    assert reservations().count_documents({"state": "reserved"}) == 126
