"""One invoice for an order, credited when the order is withdrawn, whatever comes first."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import permutations

import pytest
from django.db import connection
from django.test import override_settings
from pymongo.errors import DuplicateKeyError

from billing.invoicing import credit, invoices, issue
from billing.models import Invoice
from billing.order_in_message import PlacedOrder, WithdrawnOrder, read_placed, read_withdrawn
from billing.tasks import credit_cancelled, credit_rejected, issue_invoice
from runtime import transactions
from runtime.outage import Outage
from tests.billing.orders import placed, rejected
from tests.concurrency import at_once

pytestmark = pytest.mark.usefixtures("clean")


def placed_order(order_id: str = "o1") -> PlacedOrder:
    return read_placed(placed(order_id))


def rejected_order(order_id: str = "o1") -> WithdrawnOrder:
    return read_withdrawn(rejected(order_id))


def numbers() -> list[str]:
    """The numbers of all invoices that have one, in sequence."""
    return sorted(invoice["number"] for invoice in invoices().find({"number": {"$ne": None}}))


def credit_note_numbers() -> list[str]:
    credited = invoices().find({"credit_note_number": {"$ne": None}})
    return sorted(invoice["credit_note_number"] for invoice in credited)


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


DELIVERIES = {
    "p": lambda body: issue_invoice(body),
    "r": lambda body: credit_rejected(body | {"status": "rejected", "reason": "Out of stock"}),
    "c": lambda body: credit_cancelled(body | {"status": "cancelled"}),
}


def test_every_sequence_of_an_orders_events_ends_with_nothing_owed() -> None:
    """Placed twice, cancelled and rejected; the others are told the same in the end."""
    for n, deliveries in enumerate(sorted(set(permutations("pprc")))):
        told = [DELIVERIES[each](placed(f"o{n}"))[0] for each in deliveries]

        invoice = invoices().find_one({"_id": f"o{n}"})
        assert invoice["state"] == ("credited" if deliveries[0] == "p" else "void")
        assert (invoice["number"] is None) == (invoice["state"] == "void")
        assert (invoice["credit_note_number"] is None) == (invoice["state"] == "void")
        assert told[-1].message_id == f"billing.credited:o{n}"
    assert numbers() == first_numbers(6)
    assert credit_note_numbers() == [f"C{number}" for number in first_numbers(6)]


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


def test_credit_notes_have_a_gapless_series_of_their_own_under_eight_threads() -> None:
    for n in range(44):
        issue(placed_order(f"o{n}"))

    def credit_some(thread: int) -> None:
        for n in range(thread, 44, 4):
            credit(rejected_order(f"o{n}"))

    # Each order is credited by two threads.
    at_once([partial(credit_some, thread % 4) for thread in range(8)])

    assert credit_note_numbers() == [f"C{number}" for number in first_numbers(44)]
    issue(placed_order("next"))
    assert numbers() == first_numbers(45)


@pytest.mark.parametrize(
    ("rate", "tax"),
    [("0", "0.00"), ("19", "4.15"), ("7", "1.70"), ("8.1", "1.95"), ("100", "13.00")],
)
def test_an_invoice_says_what_of_its_total_is_tax(rate: str, tax: str) -> None:
    with override_settings(TAX_RATE_PERCENT=Decimal(rate)):
        issue(placed_order())

    invoice = Invoice.objects.get(order_id="o1")
    assert (invoice.total, invoice.tax) == (Decimal("25.99"), Decimal(tax))
    assert invoice.tax_rate_percent == Decimal(rate)


def test_a_new_tax_rate_leaves_issued_invoices_alone() -> None:
    issue(placed_order())

    with override_settings(TAX_RATE_PERCENT=Decimal(19)):
        issue(placed_order())
        credit(rejected_order())

    assert Invoice.objects.get(order_id="o1").tax == 0
