"""One invoice for an order, credited when the order is rejected, whatever comes first."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import permutations

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from pymongo.errors import DuplicateKeyError

from billing.invoicing import credit, invoices, issue
from billing.models import Invoice
from billing.order import Line, PlacedOrder, RejectedOrder, read_placed, read_rejected
from messaging import transactions
from messaging.errors import Outage
from tests.billing.orders import placed, rejected
from tests.concurrency import at_once

pytestmark = pytest.mark.usefixtures("clean")


def placed_order(order_id: str = "o1") -> PlacedOrder:
    return read_placed(placed(order_id))


def rejected_order(order_id: str = "o1") -> RejectedOrder:
    return read_rejected(rejected(order_id))


def numbers() -> list[str]:
    """The numbers of all invoices that have one, in sequence."""
    return sorted(invoice["number"] for invoice in invoices().find({"number": {"$ne": None}}))


def first_numbers(count: int) -> list[str]:
    year = datetime.now(UTC).year
    return [f"{year}-{n:06d}" for n in range(1, count + 1)]


def test_an_invoice_has_the_orders_lines_and_their_sum() -> None:
    issue(placed_order())

    invoice = Invoice.objects.get(order_id="o1")
    assert [(line.sku, line.quantity, line.amount) for line in invoice.items] == [
        ("pen", 2, Decimal("25.00")),
        ("book", 1, Decimal("0.99")),
    ]
    assert invoice.total == Decimal("25.99")
    assert (invoice.state, invoice.currency, invoice.user_id) == ("issued", "EUR", 101)
    assert invoice.number == first_numbers(1)[0]


def test_a_second_delivery_gets_the_first_invoice() -> None:
    first = issue(placed_order())

    assert issue(placed_order())["number"] == first["number"]
    issue(placed_order("o2"))
    assert numbers() == first_numbers(2)


def test_a_rejected_orders_invoice_is_credited_and_keeps_its_number() -> None:
    number = issue(placed_order())["number"]

    credited = credit(rejected_order())

    assert (credited["state"], credited["number"]) == ("credited", number)
    assert Invoice.objects.get(order_id="o1").credited_at is not None


def test_a_rejection_that_comes_first_keeps_the_order_from_being_invoiced() -> None:
    credit(rejected_order())

    late = issue(placed_order())

    assert (late["state"], late["number"]) == ("void", None)
    issue(placed_order("o2"))
    assert numbers() == first_numbers(1)


@pytest.mark.parametrize("deliveries", sorted(set(permutations("pprr"))))
def test_every_sequence_ends_with_nothing_owed(deliveries: tuple[str, ...]) -> None:
    for delivery in deliveries:
        issue(placed_order()) if delivery == "p" else credit(rejected_order())

    [invoice] = invoices().find()
    assert invoice["state"] == ("credited" if deliveries[0] == "p" else "void")
    assert (invoice["number"] is None) == (invoice["state"] == "void")


def test_events_of_one_order_at_once_end_with_nothing_owed() -> None:
    at_once(
        [
            *(partial(issue, placed_order()) for _ in range(8)),
            *(partial(credit, rejected_order()) for _ in range(8)),
        ]
    )

    [invoice] = invoices().find()
    assert invoice["state"] in ("credited", "void")
    assert len(numbers()) == (invoice["state"] == "credited")


def test_fifty_deliveries_at_once_make_one_invoice() -> None:
    answers = at_once([partial(issue, placed_order()) for _ in range(50)])

    assert {answer["number"] for answer in answers} == set(first_numbers(1))
    assert numbers() == first_numbers(1)


def test_numbers_have_no_gap_under_eight_threads() -> None:
    def issue_some(thread: int) -> None:
        for n in range(10):
            # Every third is an order that another thread deals with at the same moment.
            issue(placed_order(f"{'shared' if n % 3 == 0 else thread}-{n}"))

    at_once([partial(issue_some, thread) for thread in range(8)])

    assert numbers() == first_numbers(8 * 6 + 4)


def test_a_number_is_taken_back_when_its_invoice_cannot_be_stored() -> None:
    issue(placed_order("o1"))
    year = str(datetime.now(UTC).year)
    connection.database["invoice_counters"].update_one({"_id": year}, {"$set": {"last": 0}})

    with pytest.raises(DuplicateKeyError):
        issue(placed_order("o2"))

    assert connection.database["invoice_counters"].find_one({"_id": year})["last"] == 0
    assert numbers() == first_numbers(1)


def test_a_counter_held_by_a_killed_worker_is_an_outage_and_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    issue(placed_order("o1"))
    monkeypatch.setattr(transactions, "TRANSACTION_DEADLINE_SECONDS", 0.5)

    with connection.database.client.start_session() as killed:
        killed.start_transaction()
        connection.database["invoice_counters"].update_one(
            {}, {"$inc": {"last": 1}}, session=killed
        )
        with pytest.raises(Outage):
            issue(placed_order("o2"))
        killed.abort_transaction()

    issue(placed_order("o2"))
    assert numbers() == first_numbers(2)


@given(
    st.lists(
        st.builds(
            Line,
            sku=st.just("pen"),
            quantity=st.integers(1, 1_000_000),
            unit_price=st.decimals(0, 999_999_999, places=4),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_the_total_is_the_sum_of_lines_in_whole_cents(lines: list[Line]) -> None:
    order = PlacedOrder("o1", 101, tuple(lines), "EUR")

    assert order.total == sum(line.amount for line in lines)
    assert order.total.as_tuple().exponent == -2
    for line in lines:
        assert abs(line.amount - line.quantity * line.unit_price) <= Decimal("0.005")


@pytest.mark.parametrize(
    ("quantity", "unit_price", "amount"),
    [(1, "0.125", "0.13"), (3, "0.335", "1.01"), (1, "0.1249", "0.12"), (7, "1", "7.00")],
)
def test_half_a_cent_is_rounded_up(quantity: int, unit_price: str, amount: str) -> None:
    assert str(Line("pen", quantity, Decimal(unit_price)).amount) == amount
