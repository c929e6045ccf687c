"""Many buyers, few units, and events that come again and again."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import msgspec
from bson import Decimal128, ObjectId
from django.db import connection

from orders.events import body_of
from tests.broker import depth, publish
from tests.journeys.api import Api, manage
from tests.journeys.whole_pipeline.conftest import Pipeline
from tests.journeys.whole_pipeline.failed import failed_messages
from tests.polling import eventually
from tests.processes import Processes

BUYERS = 500
UNITS = 10
AT_ONCE = 16
DELIVERIES = 50


def add_product(sku: str, available: int) -> None:
    # Only now does Django know its settings.
    from inventory.restocking import add_products

    add_products(
        [
            {
                "sku": sku,
                "name": sku.title(),
                "price": Decimal128("240.00"),
                "currency": "EUR",
                "available": available,
                "reserved": 0,
                "shipped": 0,
            }
        ]
    )


def product(sku: str) -> tuple[int, int, int]:
    found = connection.database["products"].find_one({"sku": sku})
    return found["available"], found["reserved"], found["shipped"]


def test_five_hundred_buyers_for_ten_units_end_with_exactly_ten(api: Api) -> None:
    """
    Given ten units of a product
    When 500 buyers order one each, many at the same moment
    Then ten orders are confirmed and 490 rejected; the ten are reserved and nothing else is;
    what was invoiced to the others is credited; and the stock movements explain every unit.
    """
    add_product("painting", UNITS)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        buy = partial(api.place, 101)
        ids = list(pool.map(buy, ["painting"] * BUYERS))

    orders, invoices = connection.database["orders"], connection.database["invoices"]

    def all_are_settled() -> bool:
        settled = Counter(
            (each["status"], each["ledger"]["billing"]["state"]) for each in orders.find()
        )
        assert settled == {("confirmed", "invoiced"): UNITS, ("rejected", "credited"): 490}
        return True

    eventually(all_are_settled)
    assert len(set(ids)) == BUYERS
    assert product("painting") == (0, UNITS, 0)
    reserved = connection.database["reservations"].find({"state": "reserved"})
    confirmed = orders.find({"status": "confirmed"})
    assert {each["_id"] for each in reserved} == {str(each["_id"]) for each in confirmed}
    assert invoices.count_documents({"state": "issued"}) == UNITS
    for field in ("number", "credit_note_number"):
        numbered = sorted(each[field] for each in invoices.find({field: {"$ne": None}}))
        assert [int(number[-6:]) for number in numbered] == list(range(1, len(numbered) + 1))
    assert failed_messages() == []
    recounted = manage("recount_stock")
    assert recounted.returncode == 0, recounted.stdout


def test_each_event_delivered_fifty_times_has_one_effect(
    pipeline: Pipeline, processes: Processes
) -> None:
    """
    Given second workers of inventory and billing beside the first ones
    When an order's events arrive fifty times each, at the same moment
    Then each order has one reservation, one invoice and one release or credit, and the stock
    movements explain every unit.
    """
    add_product("painting", 4)
    processes.start("inventory", "billing")
    api = pipeline.api
    kept, cancelled = api.place(101, "painting"), api.place(101, "painting")
    for order_id in (kept, cancelled):
        api.await_status(order_id, "confirmed")
    rejected = api.place(101, *["painting"] * 5)
    api.await_status(rejected, "rejected")
    assert api.ask("POST", f"/orders/{cancelled}/cancel").status == 200
    again = [
        *(("order.placed", order_id) for order_id in (kept, cancelled, rejected)),
        ("order.cancelled", cancelled),
        ("order.rejected", rejected),
    ]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda each: send(*each), again * DELIVERIES))

    def all_are_handled() -> bool:
        assert [depth(queue) for queue in ("inventory", "billing", "orders")] == [0, 0, 0]
        assert states("reservations", kept, cancelled) == ["reserved", "released"]
        assert states("invoices", kept, cancelled) == ["issued", "credited"]
        # One of two workers may have heard of the rejection before the other one of the order.
        assert states("invoices", rejected)[0] in ("credited", "void")
        return True

    eventually(all_are_handled)
    assert product("painting") == (3, 1, 0)
    assert connection.database["invoices"].count_documents({}) == 3
    kinds = Counter(each["kind"] for each in connection.database["stock_movements"].find(PAINTING))
    assert kinds == {"opening": 1, "reserve": 2, "release": 1}
    counters = {each["_id"][0]: each["last"] for each in connection.database[COUNTERS].find()}
    # A void one has no number, and needs no credit note.
    numbered = 2 if states("invoices", rejected) == ["void"] else 3
    assert counters == {"2": numbered, "C": numbered - 1}
    assert manage("recount_stock").returncode == 0


PAINTING = {"sku": "painting"}
COUNTERS = "invoice_counters"


def states(collection: str, *order_ids: str) -> list[str]:
    found = {each["_id"]: each["state"] for each in connection.database[collection].find()}
    return [found[order_id] for order_id in order_ids]


def send(type_: str, order_id: str) -> None:
    """Deliver an event of the order to every service once more."""
    order = connection.database["orders"].find_one({"_id": ObjectId(order_id)})
    publish(
        msgspec.json.encode(body_of(order, type_)),
        exchange="order_events",
        content_type="application/json",
        type=type_,
        message_id=f"{type_}:{order_id}",
        correlation_id=order_id,
    )
