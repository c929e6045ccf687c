"""Goods leave with the others' consent: not past a failure of billing, nor past a cancellation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from bson import ObjectId
from django.contrib.auth.models import User
from django.test import Client

from failed_messages.models import AuditEntry
from failed_messages.records.collection import failed_messages
from inventory.order_in_message import PlacedOrder
from inventory.refusals import NotReserved
from inventory.reserving import products, reservations, reserve
from inventory.shipping import ship
from messaging.handling import retry_notes
from messaging.service import services
from orders import cancelling, ledger
from orders.collection import orders
from ordersite.pipeline import shipping_consent
from runtime.requests.refusal import Refusal
from tests.concurrency import at_once
from tests.failed_messages.letters import failed
from tests.failed_messages.stored_orders import place, placed_body
from tests.inventory.catalogue import stocked
from webhooks.service import SERVICE as WEBHOOKS

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture
def operator() -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.fixture
def order() -> dict[str, Any]:
    """An order whose pen is reserved."""
    stocked(pen=5)
    placed = place()
    order_id = str(placed["_id"])
    reserve(PlacedOrder(order_id, 101, {"pen": 1}))
    ledger.record(order_id, "inventory", "reserved")
    return placed


def billing_failed(order: dict[str, Any]) -> None:
    failed(body=placed_body(order), correlation_id=str(order["_id"]))


def billing_retries(order: dict[str, Any]) -> None:
    due = datetime.now(UTC) + timedelta(minutes=2)
    retry_notes.notes().insert_one(
        {
            "_id": f"{order['_id']} billing order.placed:{order['_id']}",
            "service": "billing",
            "order_id": str(order["_id"]),
            "message_id": f"order.placed:{order['_id']}",
            "attempts": [{"number": 1, "message": "card service timed out"}],
            "due_at": due,
        }
    )


def billing_gave_up(order: dict[str, Any]) -> None:
    """After the last attempt; the archiver has not stored the message yet."""
    settle_retry({"$unset": {"due_at": ""}, "$set": {"gave_up": True}}, order)


def billing_was_stopped(order: dict[str, Any]) -> None:
    stop = {"by": "anna", "reason": "the card was blocked"}
    settle_retry({"$unset": {"due_at": ""}, "$set": {"stop": stop}}, order)


def settle_retry(change: dict[str, Any], order: dict[str, Any]) -> None:
    billing_retries(order)
    retry_notes.notes().update_one({"order_id": str(order["_id"])}, change)


def ask(client: Client, order: dict[str, Any], body: Any = None) -> Any:
    address = f"/inventory/reservations/{order['_id']}/ship"
    return client.post(address, body if body is not None else {}, "application/json")


def status_of(client: Client, order: dict[str, Any]) -> str:
    return str(client.get(f"/orders/{order['_id']}").json()["status"])


@pytest.mark.parametrize(
    "trouble", [billing_failed, billing_retries, billing_gave_up, billing_was_stopped]
)
def test_past_a_failure_of_billing_it_asks_for_a_reason(
    operator: Client, order: dict[str, Any], trouble: Any
) -> None:
    trouble(order)

    refused = ask(operator, order)
    without = ask(operator, order, {"force": True})
    reason_alone = ask(operator, order, {"reason": "paid in cash"})

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/not-done")
    assert "billing failed for it" in refused.json()["detail"]
    assert "card service timed out" in refused.json()["detail"]
    assert (without.status_code, without.json()["errors"][0]["field"]) == (400, "reason")
    assert reason_alone.status_code == 409
    assert reservations().find_one()["state"] == "reserved"

    forced = ask(operator, order, {"force": True, "reason": "paid in cash"})

    assert forced.status_code == 200
    assert reservations().find_one()["shipped_anyway"].startswith("paid in cash (billing failed")
    entry = AuditEntry.objects.get(subject="order")
    assert (entry.act, entry.subject_id) == ("ship anyway", reservations().find_one()["_id"])
    assert entry.reason.startswith("paid in cash (billing failed")
    assert status_of(operator, order) == "shipped"


def test_once_billing_has_done_its_part_nothing_is_asked(
    operator: Client, order: dict[str, Any]
) -> None:
    billing_failed(order)
    ledger.record(str(order["_id"]), "billing", "invoiced", "2026-000001")

    assert ask(operator, order).status_code == 200
    assert reservations().count_documents({"shipped_anyway": {"$exists": True}}) == 0
    assert not AuditEntry.objects.filter(subject="order").exists()


def test_the_admin_asks_first_and_ships_with_a_reason(
    operator: Client, order: dict[str, Any]
) -> None:
    billing_failed(order)
    form = {"action": "ship_selected", "_selected_action": str(order["_id"])}

    asked = operator.post("/admin/inventory/reservation/", form)
    again = operator.post("/admin/inventory/reservation/", {**form, "anyway": "yes", "reason": " "})

    for page in (asked, again):
        assert page.status_code == 200
        assert "card service timed out" in page.content.decode()
    assert reservations().find_one()["state"] == "reserved"

    confirmed = {**form, "anyway": "yes", "reason": "paid in cash"}
    assert operator.post("/admin/inventory/reservation/", confirmed).status_code == 302
    assert reservations().find_one()["state"] == "shipped"
    page = operator.get(f"/admin/inventory/reservation/{order['_id']}/change/").content.decode()
    assert "paid in cash" in page


def test_the_admin_asks_also_where_billing_has_only_not_answered(
    operator: Client, order: dict[str, Any]
) -> None:
    form = {"action": "ship_selected", "_selected_action": str(order["_id"])}

    page = operator.post("/admin/inventory/reservation/", form).content.decode()

    assert "it is not confirmed: billing has not answered. Wait until it is confirmed" in page
    assert "A shipment cannot be undone" in page
    assert reservations().find_one()["state"] == "reserved"
    # A program knows what it does, and a warehouse may be faster than billing.
    assert ask(operator, order).status_code == 200


def test_whoever_only_notes_events_is_not_waited_for(
    order: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No order is confirmed by them, and no customer's endpoint holds up its goods."""
    everybody = (*services().values(), WEBHOOKS)
    monkeypatch.setattr(shipping_consent, "answering", lambda: everybody)
    awaited = ["webhooks order.placed"]
    orders().update_one({"_id": order["_id"]}, {"$set": {"awaited": awaited}})

    assert shipping_consent.obstacle(str(order["_id"])) is None


def test_a_confirmed_order_is_not_called_unconfirmed(order: dict[str, Any]) -> None:
    """Whoever else has not answered."""
    assert shipping_consent.obstacle(str(order["_id"])) is not None
    orders().update_one({"_id": order["_id"]}, {"$set": {"status": "confirmed"}})

    assert shipping_consent.obstacle(str(order["_id"])) is None


@pytest.mark.parametrize(
    ("status", "step"),
    [
        ("failed", "Correct the cause and replay its message"),
        ("replaying", "wait for the answer"),
        ("discarded", "restore and replay it"),
    ],
)
def test_what_to_do_first_depends_on_what_became_of_the_message(
    operator: Client, order: dict[str, Any], status: str, step: str
) -> None:
    billing_failed(order)
    failed_messages().update_many({}, {"$set": {"status": status}})
    form = {"action": "ship_selected", "_selected_action": str(order["_id"])}

    page = operator.post("/admin/inventory/reservation/", form).content.decode()

    assert "billing failed for it: card service timed out. " in page
    assert step in page
    assert f"/admin/orders/order/{order['_id']}/change/" in page


def test_a_retry_tells_when_it_is_due(operator: Client, order: dict[str, Any]) -> None:
    billing_retries(order)
    form = {"action": "ship_selected", "_selected_action": str(order["_id"])}

    page = operator.post("/admin/inventory/reservation/", form).content.decode()

    assert "billing failed for it and retries: card service timed out. Wait for the next" in page
    assert "UTC, or retry it now" in page


def test_what_was_given_up_is_replayed_once_the_archiver_has_stored_it(
    operator: Client, order: dict[str, Any]
) -> None:
    billing_gave_up(order)
    form = {"action": "ship_selected", "_selected_action": str(order["_id"])}

    page = operator.post("/admin/inventory/reservation/", form).content.decode()

    assert "billing failed for it and gave up: card service timed out. Replay its message" in page
    assert "once the archiver has stored it" in page


def test_a_given_up_message_without_an_attempt_counts_all_the_same(
    operator: Client, order: dict[str, Any]
) -> None:
    """As one that killed its worker."""
    settle_retry(
        {"$unset": {"due_at": ""}, "$set": {"gave_up": True, "attempts": []}},
        order,
    )

    refused = ask(operator, order)

    assert refused.status_code == 409
    assert "billing failed for it and gave up" in refused.json()["detail"]


def test_what_was_replayed_with_success_since_does_not_count(
    operator: Client, order: dict[str, Any]
) -> None:
    """Also before orders has heard of the invoice."""
    billing_gave_up(order)
    message_id = f"order.placed:{order['_id']}"
    failed(body=placed_body(order), correlation_id=str(order["_id"]), message_id=message_id)
    failed_messages().update_many({}, {"$set": {"status": "resolved"}})

    assert ask(operator, order).status_code == 200


def test_a_cancelled_order_is_not_offered_to_be_shipped(
    operator: Client, order: dict[str, Any]
) -> None:
    address = f"/admin/orders/order/{order['_id']}/change/"
    assert ">Ship</button>" in operator.get(address).content.decode()

    cancelling.cancel(order["_id"], None)

    assert ">Ship</button>" not in operator.get(address).content.decode()


def test_a_shipped_order_is_not_answered_cancelled_before_orders_heard_of_it(
    operator: Client, order: dict[str, Any]
) -> None:
    assert ask(operator, order).status_code == 200

    answer = operator.post(f"/orders/{order['_id']}/cancel", {}, "application/json")

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/order-shipped")
    assert status_of(operator, order) == "shipped"


def test_a_cancelled_order_is_not_shipped_before_inventory_heard_of_it(
    operator: Client, order: dict[str, Any]
) -> None:
    cancelling.cancel(order["_id"], None)

    assert ask(operator, order).status_code == 409
    assert products().find_one({"sku": "pen"})["reserved"] == 1


def test_of_a_shipment_and_a_cancellation_at_once_one_wins(order: dict[str, Any]) -> None:
    won: list[str] = []

    def attempt(what: str, act: partial[Any]) -> None:
        try:
            act()
            won.append(what)
        except (NotReserved, Refusal):
            pass

    at_once(
        [
            partial(attempt, "shipped", partial(ship, str(order["_id"]), by="operator")),
            partial(attempt, "cancelled", partial(cancelling.cancel, order["_id"], None)),
        ]
    )

    assert [orders().find_one({"_id": order["_id"]})["status"]] == won


@pytest.mark.parametrize("heard", [["shipped", "invoiced"], ["invoiced", "shipped"]])
def test_a_shipped_order_stays_shipped_and_is_confirmed_to_subscribers_once(
    order: dict[str, Any], heard: list[str]
) -> None:
    order_id = str(order["_id"])
    ship(order_id, by="operator")

    for state in heard:
        ledger.record(order_id, "billing" if state == "invoiced" else "inventory", state)

    stored = orders().find_one({"_id": ObjectId(order_id)})
    assert stored["status"] == "shipped"
    types = [event["type"] for event in stored["pending_events"]]
    assert types == ["order.placed", "order.confirmed"]


def test_shipped_orders_are_listed(operator: Client, order: dict[str, Any]) -> None:
    place()
    ask(operator, order)

    listed = operator.get("/orders?status=shipped").json()["orders"]

    assert [each["orderId"] for each in listed] == [str(order["_id"])]
