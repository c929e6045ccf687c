"""Every event of an order is answered, or is missed and sent again to whoever owes the answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from bson import ObjectId
from django.conf import settings

from failed_messages.models import Status
from failed_messages.records.collection import failed_messages
from inventory import reserving, shipping
from inventory.demo_products import load as load_products
from inventory.order_in_message import PlacedOrder
from messaging.service import services
from orders import events_again, unanswered
from orders.collection import orders
from orders.outbox import store
from ordersite.pipeline.conservation import Line, lines
from ordersite.pipeline.reconciling import reconcile
from tests.broker import publish, take_all
from tests.orders.test_ledger import hear, placed, seen

pytestmark = pytest.mark.usefixtures("clean")

PLACED = {"inventory order.placed", "billing order.placed"}
CANCELLED = {"inventory order.cancelled", "billing order.cancelled"}


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not answered counts as lost at once."""
    monkeypatch.setattr(settings, "RECONCILE_AFTER_SECONDS", -5)


def owed(order_id: str) -> set[str]:
    order = seen(order_id)
    assert ("awaited_since" in order) == bool(order["awaited"])
    return set(order["awaited"])


def published(order_id: str) -> None:
    """As if RabbitMQ had confirmed all of the order's events, and then lost them."""
    orders().update_one(
        {"_id": ObjectId(order_id)},
        {"$set": {"pending_events": []}, "$unset": {"pending_since": ""}},
    )


def line_of(service: str) -> Line:
    return next(line for line in lines() if line.service == service)


@pytest.mark.parametrize(
    ("outcomes", "left"),
    [
        ([], PLACED),
        (["reserved"], {"billing order.placed"}),
        (["reserved", "invoiced"], set()),
        (["invoiced", "rejected"], {"billing order.rejected"}),
        (["invoiced", "rejected", "credited"], set()),
        (["reserved", "invoiced", "cancelled"], CANCELLED),
        (["reserved", "invoiced", "cancelled", "released"], {"billing order.cancelled"}),
        (["reserved", "invoiced", "cancelled", "released", "credited"], set()),
        # Whatever is later ends what came before, too: the services may hear of it first.
        (["cancelled", "released", "credited"], set()),
        # A service that is where the event would lead owes nothing more.
        (["rejected", "credited", "cancelled"], {"inventory order.cancelled"}),
        (["reserved", "shipped", "invoiced"], set()),
    ],
    ids=lambda each: " ".join(sorted(each) if isinstance(each, set) else each) or "nothing",
)
def test_each_event_is_owed_until_it_is_answered(outcomes: Sequence[str], left: set[str]) -> None:
    order_id = placed()

    hear(order_id, *outcomes)

    assert owed(order_id) == left


def test_a_cancellation_that_got_lost_is_seen_and_sent_again_to_who_owes_it(at_once: None) -> None:
    order_id = placed()
    hear(order_id, "reserved", "invoiced", "cancelled", "credited")
    published(order_id)

    line = line_of("inventory")
    assert line.unaccounted == 1
    assert line.orders == (order_id,)
    assert line_of("billing").unaccounted == 0

    assert reconcile() == 1
    [again] = take_all("inventory")
    assert take_all("billing") == []
    assert again.properties["message_id"] == f"order.cancelled:{order_id}"
    assert msgspec.json.decode(bytes(again.body))["status"] == "cancelled"


def test_what_is_sent_again_has_the_version_that_the_order_had_then() -> None:
    """A subscriber that keeps the newest version would take a later one of an earlier event."""
    order_id = placed()
    hear(order_id, "reserved", "invoiced", "cancelled", "released", "credited")
    order = seen(order_id)

    for pending in order["pending_events"]:
        again = events_again.event_again(order, pending["type"])
        assert (again["version"], again["at"]) == (pending["version"], pending["at"])
    types = [pending["type"] for pending in order["pending_events"]]
    assert types == ["order.placed", "order.confirmed", "order.cancelled"]


def test_a_rejection_that_is_sent_again_has_its_version() -> None:
    order_id = placed()
    hear(order_id, "invoiced", "rejected", "credited")
    order = seen(order_id)

    [pending] = [each for each in order["pending_events"] if each["type"] == "order.rejected"]
    again = events_again.event_again(order, "order.rejected")
    assert (again["version"], again["at"]) == (pending["version"], pending["at"])


def test_what_is_sent_again_is_what_was_sent(at_once: None) -> None:
    order_id = placed()
    first = store.message(seen(order_id), seen(order_id)["pending_events"][0])
    published(order_id)

    assert reconcile() == 2

    for service in ("inventory", "billing"):
        [again] = take_all(service)
        assert bytes(again.body) == first.body
        assert again.properties["message_id"] == first.message_id
        assert again.headers["order-version"] == first.headers["order-version"]


def test_a_rejection_that_got_lost_leaves_no_invoice_uncredited(at_once: None) -> None:
    order_id = placed()
    hear(order_id, "invoiced", "rejected")
    published(order_id)

    assert reconcile() == 1

    [again] = take_all("billing")
    assert again.properties["type"] == "order.rejected"


def test_nothing_is_missed_before_its_time_nor_while_it_waits_in_the_outbox(
    at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed()
    assert [line.unaccounted for line in lines()] == [0, 0], "it waits in the outbox"

    order_id = placed()
    published(order_id)
    monkeypatch.setattr(settings, "RECONCILE_AFTER_SECONDS", 60)
    assert [line.unaccounted for line in lines()] == [0, 0], "it may be on its way"


def test_an_unanswered_order_of_an_earlier_release_is_adopted(at_once: None) -> None:
    order_id = placed()
    orders().update_one(
        {"_id": ObjectId(order_id)},
        {"$unset": {"awaited": "", "awaited_since": ""}, "$set": {"updated_at": datetime.now(UTC)}},
    )
    published(order_id)

    assert {line.service: line.orders for line in lines()} == {
        "inventory": (order_id,),
        "billing": (order_id,),
    }
    assert owed(order_id) == PLACED


def test_an_answered_order_of_an_earlier_release_owes_nothing(at_once: None) -> None:
    order_id = placed()
    hear(order_id, "reserved", "invoiced")
    orders().update_one({"_id": ObjectId(order_id)}, {"$unset": {"awaited": ""}})

    assert unanswered.adopt() == 0
    hear(order_id, "cancelled")
    assert owed(order_id) == CANCELLED


def test_counts_come_from_the_index(at_once: None) -> None:
    placed()

    for service in ("inventory", "billing"):
        plan = orders().find(unanswered.owed_by(services()[service])).explain()
        assert unanswered.INDEX in str(plan["queryPlanner"]["winningPlan"])


def shipped(*outcomes: str) -> str:
    """An order that was shipped, whose event RabbitMQ has confirmed, after these outcomes."""
    order_id = placed()
    load_products()
    reserving.reserve(PlacedOrder(order_id, 101, {"book": 1}))
    hear(order_id, *outcomes)
    published(order_id)
    shipping.ship(order_id, by="operator")
    assert shipping.publish_waiting() == 1
    assert len(take_all("orders")) == 1
    return order_id


def test_a_shipment_that_got_lost_is_counted_and_told_again(at_once: None) -> None:
    order_id = shipped("reserved", "invoiced")

    line = line_of("inventory")
    assert (line.accepted, line.done, line.in_flight, line.unaccounted) == (1, 0, 0, 1)
    assert line.orders == (order_id,)
    assert line_of("billing").unaccounted == 0

    assert reconcile() == 1
    assert shipping.publish_waiting() == 1
    [again] = take_all("orders")
    assert again.properties["message_id"] == f"inventory.shipped:{order_id}"


def test_an_order_of_which_all_got_lost_is_counted_once(at_once: None) -> None:
    shipped("invoiced")

    line = line_of("inventory")
    assert (line.accepted, line.done, line.in_flight, line.unaccounted) == (1, 0, 0, 1)
    assert line.orders != ()


def test_a_shipment_that_was_noted_is_told_once(at_once: None) -> None:
    shipped("reserved", "invoiced", "shipped")

    assert line_of("inventory").done == 1
    assert reconcile() == 0
    assert [*shipping.unheard(datetime.now(UTC) + timedelta(days=1))] == []
    assert shipping.publish_waiting() == 0


def test_a_shipment_may_be_on_its_way(at_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped("reserved", "invoiced")
    monkeypatch.setattr(settings, "RECONCILE_AFTER_SECONDS", 60)

    assert line_of("inventory").done == 1
    assert reconcile() == 0


def test_a_shipment_waits_in_the_queue_and_is_not_lost(at_once: None) -> None:
    order_id = shipped("reserved", "invoiced")
    publish(b"{}", exchange="by_name", routing_key="orders", type="inventory.shipped")

    line = line_of("inventory")
    assert (line.in_flight, line.unaccounted) == (1, 0), order_id
    take_all("orders")


@pytest.mark.parametrize(
    ("status", "counts"), [(Status.FAILED, (1, 0)), (Status.DISCARDED, (0, 1))]
)
def test_a_shipment_that_orders_could_not_note_is_not_lost(
    at_once: None, status: Status, counts: tuple[int, int]
) -> None:
    order_id = shipped("reserved", "invoiced")
    failed_messages().insert_one(
        {"service": "orders", "type": "inventory.shipped", "order_id": order_id, "status": status}
    )

    line = line_of("inventory")
    assert (line.failed, line.discarded) == counts
    assert (line.done, line.in_flight, line.unaccounted) == (0, 0, 0)
    assert reconcile() == 0


def test_a_shipment_of_an_order_that_nobody_took_is_forgotten(at_once: None) -> None:
    order_id = shipped("reserved", "invoiced")
    orders().delete_many({})

    assert line_of("inventory").unaccounted == 0
    assert reconcile() == 0
    assert list(shipping.unheard(datetime.max.replace(tzinfo=UTC))) == [], order_id


def test_the_reconciler_counts_no_orders_that_have_their_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There are more of them each day, and it looks every minute."""

    def count_all() -> int:
        raise AssertionError("counted every order")

    monkeypatch.setattr(unanswered, "count_all", count_all)

    assert reconcile() == 0
