"""Each order is counted in one place, and those that failed are counted, not read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from failed_messages.records.collection import failed_messages
from messaging.handling import retry_notes
from orders import ledger
from orders.collection import orders
from ordersite.pipeline.conservation import Line, lines
from runtime.mongodb_clock import mongodb_now
from tests.failed_messages.letters import failed
from tests.failed_messages.staff import staff
from tests.failed_messages.stored_orders import place, placed_body

pytestmark = pytest.mark.usefixtures("clean")

MANY = 50


def an_order(*statuses: str) -> str:
    """One with a message of billing's in each of these states; its id."""
    order = place()
    order_id = str(order["_id"])
    for number, status in enumerate(statuses):
        record = failed(
            body=placed_body(order), correlation_id=order_id, message_id=f"{order_id} {number}"
        )
        failed_messages().update_one({"_id": record.pk}, {"$set": {"status": status}})
    return order_id


def retried(order_id: str) -> None:
    due = {"due_at": mongodb_now() + timedelta(minutes=1), "service": "billing"}
    note = {"_id": f"{order_id} billing m", "order_id": order_id, **due}
    retry_notes.notes().insert_one(note)


def billing() -> Line:
    orders().update_many({}, {"$set": {"pending_events": []}, "$unset": {"pending_since": ""}})
    return next(line for line in lines() if line.service == "billing")


def test_each_order_is_in_one_place() -> None:
    an_order("failed")
    an_order("replaying", "failed")
    an_order("discarded", "failed")
    an_order("discarded", "discarded")
    an_order("resolved")
    ledger.record(an_order("failed"), "billing", "invoiced")
    retried(an_order())
    retried(an_order("failed"))
    retried(an_order("discarded"))
    failed(correlation_id="a foreign order")
    line = billing()

    places = (line.failed, line.discarded, line.retrying, line.done, line.in_flight)
    assert (line.accepted, places) == (9, (4, 2, 1, 1, 1))


def test_the_list_of_orders_in_flight_has_as_many_as_are_counted() -> None:
    an_order("failed")
    an_order("discarded")
    retried(an_order())
    on_its_way = an_order("resolved")
    line = billing()

    address = "/admin/orders/order/?needs=flight_billing"
    told = staff().get(address).content.decode()

    assert line.in_flight == 1
    assert "1 result" in told
    assert f"/admin/orders/order/{on_its_way}/change/" in told


def test_the_list_of_orders_that_were_given_up_has_as_many_as_are_counted() -> None:
    an_order("failed", "discarded")
    given_up = an_order("discarded", "discarded")
    ledger.record(an_order("discarded"), "billing", "invoiced")
    failed(correlation_id="a foreign order")
    line = billing()

    address = "/admin/orders/order/?needs=discarded_billing&waits=billing"
    told = staff().get(address).content.decode()

    assert line.discarded == 1
    assert "1 result" in told
    assert f"/admin/orders/order/{given_up}/change/" in told


def test_orders_that_failed_are_counted_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.unanswered.COUNTED_AT_ONCE", MANY // 3)
    for _ in range(MANY):
        an_order("failed")
    database = connection.database
    database.command("profile", 2)
    try:
        line = billing()
    finally:
        database.command("profile", 0)
    asked = {"ns": f"{database.name}.orders", "op": {"$in": ["query", "getmore"]}}
    returned = [each.get("nreturned", 0) for each in database["system.profile"].find(asked)]
    database["system.profile"].drop()

    assert line.failed == MANY
    assert sum(returned) == 0
