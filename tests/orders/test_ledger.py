"""What orders makes of the other services' events, in whatever order they come."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from itertools import permutations
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.errors import InvalidMessage, PermanentError
from messaging.handling.handlers import known_types
from messaging.service import answering
from orders import cancelling, events, ledger, placing, tasks
from orders.collection import orders
from runtime.money.price import Price
from tests.concurrency import at_once

BOOK = Price(Decimal("12.50"), "EUR")

pytestmark = pytest.mark.usefixtures("services")

HANDLERS = {
    event.state: partial(tasks.note, service, event)
    for service in answering()
    for event in service.publishes
}


def placed() -> str:
    """A stored order's id."""
    document = placing.compose(101, {"book": 1}, {"book": BOOK})
    placing.store(document)
    return str(document["_id"])


def hear(order_id: str, *outcomes: str) -> dict[str, Any]:
    """Handle the events, or cancel, one after the other; return the order as it is then."""
    body = {"orderId": order_id, "userId": 101, "invoiceNumber": "2026-000001"}
    for outcome in outcomes:
        if outcome == "cancelled":
            cancelling.cancel(ObjectId(order_id), "Ordered twice")
        else:
            HANDLERS[outcome](body | {"reason": "Out of stock: book"})
    return seen(order_id)


def seen(order_id: str) -> dict[str, Any]:
    document = orders().find_one({"_id": ObjectId(order_id)})
    assert document
    return document


def essence(order: dict[str, Any]) -> Any:
    """What has to be equal however the events came: all but times and the count of changes."""
    entries = {
        service: (entry["state"], entry["detail"], entry["message_id"].partition(":")[0])
        for service, entry in order["ledger"].items()
        # What a further service has not done yet is nothing that it told.
        if entry["message_id"]
    }
    return order["status"], entries, [event["type"] for event in order["pending_events"]]


def test_an_order_is_confirmed_when_both_services_have_done_their_part():
    order_id = placed()

    assert hear(order_id, "reserved")["status"] == "placed"
    order = hear(order_id, "invoiced")

    assert order["status"] == "confirmed"
    assert order["version"] == 3
    entry = order["ledger"]["billing"]
    assert (entry["state"], entry["detail"]) == ("invoiced", "2026-000001")
    assert entry["message_id"] == f"billing.invoiced:{order_id}"
    assert entry["at"] >= order["created_at"]


def test_a_rejection_is_noted_with_its_reason_and_goes_into_the_outbox():
    order_id = placed()

    order = hear(order_id, "rejected")

    assert order["status"] == "rejected"
    assert order["ledger"]["inventory"]["detail"] == "Out of stock: book"
    rejection = order["pending_events"][1]
    assert rejection["id"] == f"order.rejected:{order_id}"
    assert rejection["version"] == order["version"] == 2
    assert order["pending_since"] == order["created_at"]


def test_the_reason_is_inventorys_also_where_another_service_refused_the_order_before() -> None:
    order = hear(placed(), "rejected")
    [step] = [each for each in order["steps"] if each["state"] == "rejected"]
    order["steps"].insert(0, step | {"service": "shipping", "detail": "No carrier goes there"})

    body = events.body_of(order, "order.rejected")

    assert isinstance(body, events.OrderRejected)
    assert body.reason == "Out of stock: book"


def test_a_rejection_alone_in_the_outbox_is_pending_from_then_on():
    order_id = placed()
    published = {"$set": {"pending_events": []}, "$unset": {"pending_since": ""}}
    orders().update_one({"_id": ObjectId(order_id)}, published)

    order = hear(order_id, "rejected")

    assert [event["type"] for event in order["pending_events"]] == ["order.rejected"]
    assert order["pending_since"] == order["updated_at"]


def test_a_duplicate_changes_nothing():
    order_id = placed()
    once = hear(order_id, "rejected", "credited")

    assert hear(order_id, "rejected", "credited", "rejected") == once


def shuffled(*outcomes: str) -> st.SearchStrategy[list[str]]:
    """All of them in any order, with any of them again."""
    again = st.lists(st.sampled_from(outcomes), max_size=4)
    return again.flatmap(lambda more: st.permutations([*outcomes, *more]))


@settings(max_examples=40)
@given(shuffled("reserved", "invoiced"))
def test_every_order_of_arrival_confirms_alike(outcomes: list[str]):
    assert essence(hear(placed(), *outcomes)) == (
        "confirmed",
        {
            "inventory": ("reserved", None, "inventory.reserved"),
            "billing": ("invoiced", "2026-000001", "billing.invoiced"),
        },
        ["order.placed", "order.confirmed"],
    )


@settings(max_examples=60)
@given(shuffled("rejected", "invoiced", "credited"))
def test_every_order_of_arrival_rejects_alike(outcomes: list[str]):
    assert essence(hear(placed(), *outcomes)) == (
        "rejected",
        {
            "inventory": ("rejected", "Out of stock: book", "inventory.rejected"),
            "billing": ("credited", "2026-000001", "billing.credited"),
        },
        ["order.placed", "order.rejected"],
    )


def cancelled_essence(order: dict[str, Any]) -> Any:
    """The essence, and all that was heard; but not whether it was confirmed or rejected before."""
    status, entries, types = essence(order)
    heard = sorted((step["service"], step["state"]) for step in order["steps"])
    lasting = [type_ for type_ in types if type_ in ("order.placed", "order.cancelled")]
    return status, entries, heard, lasting


@pytest.mark.parametrize(
    "outcomes",
    [
        ("cancelled", "reserved", "invoiced", "released", "credited"),
        ("cancelled", "rejected", "invoiced", "released", "credited"),
        ("cancelled", "reserved", "rejected", "invoiced"),
    ],
)
def test_every_permutation_with_a_cancellation_ends_alike(outcomes: tuple[str, ...]):
    ends = {repr(cancelled_essence(hear(placed(), *each))) for each in permutations(outcomes)}

    [end] = ends
    assert end.startswith("('cancelled', ")
    assert end.endswith("['order.placed', 'order.cancelled'])")


@settings(max_examples=60)
@given(shuffled("cancelled", "reserved", "invoiced", "released", "credited"))
def test_every_order_of_arrival_cancels_alike(outcomes: list[str]):
    assert cancelled_essence(hear(placed(), *outcomes)) == (
        "cancelled",
        {
            "inventory": ("released", None, "inventory.released"),
            "billing": ("credited", "2026-000001", "billing.credited"),
        },
        [
            ("billing", "credited"),
            ("billing", "invoiced"),
            ("inventory", "released"),
            ("inventory", "reserved"),
        ],
        ["order.placed", "order.cancelled"],
    )


@settings(max_examples=30)
@given(shuffled("reserved", "invoiced", "shipped"))
def test_every_order_of_arrival_ships_alike(outcomes: list[str]):
    status, entries, types = essence(hear(placed(), *outcomes))

    assert status == "shipped"
    assert entries["inventory"] == ("shipped", None, "inventory.shipped")
    assert types == ["order.placed", "order.confirmed"]


def test_a_cancellation_that_crosses_with_the_shipment_shows_both():
    order = hear(placed(), "reserved", "invoiced", "cancelled", "shipped", "credited")

    assert order["status"] == "cancelled"
    assert order["ledger"]["inventory"]["state"] == "shipped"


def test_outcomes_at_the_same_moment_are_both_noted_and_reject_once():
    order_id = placed()

    at_once([lambda name=name: hear(order_id, name) for name in ("rejected", "credited") * 4])

    order = seen(order_id)
    assert order["version"] == 3
    assert [event["type"] for event in order["pending_events"]] == [
        "order.placed",
        "order.rejected",
    ]


@pytest.mark.parametrize("order_id", ["0" * 24, "foreign-7", 1718000000000, "$gt", ""])
def test_an_outcome_of_an_order_never_taken_is_permanent(order_id: str | int):
    with pytest.raises(PermanentError, match="never took order"):
        HANDLERS["reserved"]({"orderId": order_id})


@pytest.mark.parametrize(
    ("outcome", "body", "named"),
    [
        ("invoiced", {}, "orderId"),
        ("invoiced", {"orderId": None}, "orderId"),
        ("invoiced", {"orderId": {"$gt": ""}}, "orderId"),
        ("rejected", {"orderId": "x", "reason": {"$gt": ""}}, "reason"),
        ("invoiced", {"orderId": "x", "invoiceNumber": 7}, "invoiceNumber"),
        ("invoiced", [], "object"),
    ],
)
def test_a_body_that_is_not_an_outcome_is_invalid(outcome: str, body: Any, named: str):
    with pytest.raises(InvalidMessage, match=named):
        HANDLERS[outcome](body)


def test_a_reason_is_data_whatever_it_holds():
    order_id = placed()

    ledger.record(order_id, "inventory", "rejected", "$status")

    assert seen(order_id)["ledger"]["inventory"]["detail"] == "$status"


def test_orders_knows_what_the_services_tell():
    known = known_types("orders")

    assert known == {event.type for each in answering() for event in each.publishes}
    assert known >= {
        "inventory.reserved",
        "inventory.rejected",
        "inventory.released",
        "inventory.shipped",
        "billing.invoiced",
        "billing.credited",
    }


def test_an_order_that_is_confirmed_again_has_one_confirmation_pending() -> None:
    order_id = placed()

    for outcome in ("reserved", "invoiced", "rejected", "shipped"):
        hear(order_id, outcome)

    types = [event["type"] for event in seen(order_id)["pending_events"]]
    assert types == ["order.placed", "order.confirmed", "order.rejected"]
