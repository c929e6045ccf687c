"""A service that first hears of an order by a later event is counted from an index of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from bson import ObjectId
from django.core.management import call_command
from django.db import connection
from msgspec import Struct

from messaging.service import Event, On, Service
from orders import unanswered
from orders.collection import orders
from ordersite.overview.order_count import OrderCounts

pytestmark = pytest.mark.usefixtures("db")


class Announced(Struct):
    pass


SHIPPING = Service(
    "shipping",
    listens=[On("order.confirmed", leads_to=["announced"])],
    publishes=[Event("shipping.announced", Announced)],
)
INDEX = "orders_heard_of_by_shipping"


@pytest.fixture(autouse=True)
def shipping(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(unanswered, "answering", lambda: (SHIPPING,))
    yield
    if INDEX in orders().index_information():
        orders().drop_index(INDEX)


def store(*states: str | None) -> None:
    """An order for each: what the service has said of it; None where it has not heard of it."""
    ledgers: list[dict[str, Any]] = [
        {"shipping": {"state": state}} if state else {} for state in states
    ]
    orders().insert_many([{"_id": ObjectId(), "ledger": ledger} for ledger in ledgers])


def test_migrate_makes_the_index_of_a_new_service() -> None:
    call_command("migrate", verbosity=0)

    assert INDEX in orders().index_information()


def test_counting_reads_no_order() -> None:
    call_command("migrate", verbosity=0)
    store("pending", "announced", None, None)

    assert unanswered.accepted(SHIPPING) == 2
    counting = [
        {"$match": unanswered.heard_of_by(SHIPPING)},
        {"$group": {"_id": 1, "n": {"$sum": 1}}},
    ]
    command = {"aggregate": orders().name, "pipeline": counting, "cursor": {}}
    told = connection.database.command("explain", command, verbosity="executionStats")
    assert read_documents(told) == 0


def read_documents(plan: Any) -> int:
    """How many documents the stages of an explained plan have read."""
    if isinstance(plan, list):
        return sum(map(read_documents, plan))
    if not isinstance(plan, dict):
        return 0
    return plan.get("totalDocsExamined", 0) + sum(map(read_documents, plan.values()))


def test_it_is_counted_also_before_there_is_an_index() -> None:
    store("pending", None)

    assert unanswered.accepted(SHIPPING) == 1


def test_the_front_page_counts_it_too() -> None:
    store("pending", "announced", None)
    accepted = OrderCounts().accepted()

    assert accepted(SHIPPING) == 2
