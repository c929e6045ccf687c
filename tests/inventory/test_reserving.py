"""An order gets all of its lines or none, and one answer."""

from __future__ import annotations

from functools import partial

import pytest
from django.db import connection

from inventory.reserving import products, reservations, reserve
from messaging.errors import PermanentError
from runtime import transactions
from runtime.outage import Outage
from tests.concurrency import at_once
from tests.inventory.catalogue import order, stock, stocked

pytestmark = pytest.mark.usefixtures("clean")


def test_reserving_moves_the_units_of_each_line() -> None:
    stocked(pen=10, book=5)

    answer = reserve(order("o1", pen=2, book=1))

    assert answer["state"] == "reserved"
    assert answer["items"] == [{"sku": "pen", "quantity": 2}, {"sku": "book", "quantity": 1}]
    assert (stock("pen"), stock("book")) == ((8, 2), (4, 1))


def test_the_last_units_can_be_reserved() -> None:
    stocked(pen=2)

    assert reserve(order("o1", pen=2))["state"] == "reserved"
    assert stock("pen") == (0, 2)


def test_a_short_line_rejects_the_whole_order_and_moves_nothing() -> None:
    stocked(pen=10, book=1, lamp=0)

    answer = reserve(order("o1", pen=2, book=2, lamp=1))

    assert answer["state"] == "rejected"
    assert answer["shortages"] == [
        {"sku": "book", "asked": 2, "available": 1},
        {"sku": "lamp", "asked": 1, "available": 0},
    ]
    assert (stock("pen"), stock("book"), stock("lamp")) == ((10, 0), (1, 0), (0, 0))


def test_a_second_delivery_gets_the_first_answer() -> None:
    stocked(pen=3)
    first = reserve(order("o1", pen=2))

    second = reserve(order("o1", pen=2))

    assert second["state"] == first["state"] == "reserved"
    assert stock("pen") == (1, 2)


def test_a_rejection_stands_when_stock_has_come_in_since() -> None:
    stocked(pen=0)
    reserve(order("o1", pen=1))
    products().update_one({"sku": "pen"}, {"$set": {"available": 5}})

    assert reserve(order("o1", pen=1))["state"] == "rejected"
    assert stock("pen") == (5, 0)


def test_an_unknown_sku_asks_for_a_human_and_leaves_no_answer_behind() -> None:
    stocked(pen=3)

    with pytest.raises(PermanentError, match="Not in the catalogue: globe"):
        reserve(order("o1", pen=1, globe=1))

    assert stock("pen") == (3, 0)
    stocked(globe=1)
    assert reserve(order("o1", pen=1, globe=1))["state"] == "reserved"


def test_fifty_buyers_get_exactly_the_ten_units_there_are() -> None:
    stocked(pen=10)

    answers = at_once([partial(reserve, order(f"o{n}", pen=1)) for n in range(50)])

    assert sorted(answer["state"] for answer in answers) == ["rejected"] * 40 + ["reserved"] * 10
    assert stock("pen") == (0, 10)
    assert reservations().count_documents({}) == 50


def test_fifty_deliveries_at_once_make_one_reservation() -> None:
    stocked(pen=100)

    answers = at_once([partial(reserve, order("o1", pen=2)) for _ in range(50)])

    assert {answer["state"] for answer in answers} == {"reserved"}
    assert stock("pen") == (98, 2)
    assert reservations().count_documents({}) == 1


def test_stock_held_by_a_killed_worker_is_an_outage_and_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stocked(pen=10)
    monkeypatch.setattr(transactions, "TRANSACTION_DEADLINE_SECONDS", 0.5)

    with connection.database.client.start_session() as killed:
        killed.start_transaction()
        products().update_one({"sku": "pen"}, {"$inc": {"available": -1}}, session=killed)
        with pytest.raises(Outage):
            reserve(order("o1", pen=1))
        killed.abort_transaction()

    assert reserve(order("o1", pen=1))["state"] == "reserved"
    assert stock("pen") == (9, 1)


def test_stock_is_found_through_the_index() -> None:
    stocked(pen=10)

    plan = products().find({"sku": {"$in": ["pen"], "$type": "string"}}).explain()

    assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"])
