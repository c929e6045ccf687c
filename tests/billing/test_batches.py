"""A batch issues what its orders would have been issued one by one, or nothing at all."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from django.db import connection

from billing.batches import issue_many
from billing.invoicing import credit, invoices, issue
from billing.order_in_message import PlacedOrder, read_placed, read_withdrawn
from tests.billing.orders import placed, rejected
from tests.concurrency import at_once
from tests.emptying import empty_collections

pytestmark = pytest.mark.usefixtures("clean")


def orders(*order_ids: str) -> list[PlacedOrder]:
    return [read_placed(placed(order_id)) for order_id in order_ids]


def books() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All that billing has recorded, apart from when."""
    return (
        list(invoices().find({}, {"created_at": 0, "credited_at": 0}, sort=[("_id", 1)])),
        list(connection.database["invoice_counters"].find()),
    )


def test_a_batch_issues_consecutive_numbers_in_its_orders_sequence() -> None:
    issue(*orders("first"))

    issues = issue_many(orders("o3", "o1", "o2"))

    year = datetime.now(UTC).year
    assert [(each["_id"], each["number"]) for each in issues] == [
        ("o3", f"{year}-000002"),
        ("o1", f"{year}-000003"),
        ("o2", f"{year}-000004"),
    ]
    assert issue(*orders("o1"))["number"] == f"{year}-000003"
    assert issue(*orders("next"))["number"] == f"{year}-000005"


def test_a_batch_records_what_single_orders_record() -> None:
    order_ids = [f"o{n:02d}" for n in range(40)]
    issue_many(orders(*order_ids))
    in_a_batch = books()

    empty_collections()
    for order in orders(*order_ids):
        issue(order)

    assert in_a_batch == books()


def test_an_order_that_billing_knows_keeps_its_invoice_in_a_batch() -> None:
    known = [issue(*orders("invoiced")), credit(read_withdrawn(rejected("void")))]

    first, *again, second = issue_many(orders("o1", "invoiced", "void", "o2"))

    year = datetime.now(UTC).year
    assert [(each["_id"], each["number"], each["state"]) for each in again] == [
        (each["_id"], each["number"], each["state"]) for each in known
    ]
    assert [first["number"], second["number"]] == [f"{year}-000002", f"{year}-000003"]
    assert issue_many(orders("o1", "invoiced"))[0]["number"] == f"{year}-000002"


def test_an_order_that_is_twice_in_a_batch_is_invoiced_once() -> None:
    issue(*orders("invoiced"))

    issues = issue_many(orders("o2", "invoiced", "o1", "o2"))

    assert [each["_id"] for each in issues] == ["o2", "invoiced", "o1", "o2"]
    assert issues[0] == issues[3]
    assert invoices().count_documents({}) == 3
    year = datetime.now(UTC).year
    assert issue(*orders("next"))["number"] == f"{year}-000004"


def test_batches_and_single_orders_at_once_leave_no_gap() -> None:
    at_once(
        [
            *(partial(issue_many, orders(*(f"b{n}-{i}" for i in range(20)))) for n in range(6)),
            *(partial(issue, *orders(f"s{n}")) for n in range(6)),
        ]
    )

    year = datetime.now(UTC).year
    assert sorted(invoice["number"] for invoice in invoices().find()) == [
        f"{year}-{n:06d}" for n in range(1, 127)
    ]
