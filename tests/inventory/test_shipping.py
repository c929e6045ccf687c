"""Shipping sends reserved units off once, and the others hear of it, whatever crashes."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import msgspec
import pytest
from django.test import override_settings

from inventory.movements import movements
from inventory.refusals import NotReserved, UnknownReservation
from inventory.releasing import release
from inventory.reserving import products, reservations, reserve
from inventory.shipping import publish_waiting, ship
from inventory.tasks import reserve_stock
from messaging.errors import PermanentError, PublishError
from runtime.mongodb_clock import EPOCH
from tests.broker import take_all
from tests.concurrency import at_once
from tests.inventory.catalogue import order, stock, stocked
from tests.polling import eventually
from tests.processes import Processes

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture
def reserved(clean: None) -> None:
    stocked(pen=10)
    reserve(order("o1", pen=3))


def shipped(sku: str) -> int:
    return products().find_one({"sku": sku})["shipped"]


def told() -> list[str]:
    return [message.properties["message_id"] for message in take_all("orders")]


@pytest.mark.usefixtures("reserved")
def test_reserved_units_leave() -> None:
    assert ship("o1", by="operator")["state"] == "shipped"

    assert (stock("pen"), shipped("pen")) == ((7, 0), 3)


@pytest.mark.usefixtures("reserved")
def test_fifty_times_at_once_ships_once() -> None:
    at_once([partial(ship, "o1", by="operator") for _ in range(50)])

    assert (stock("pen"), shipped("pen")) == ((7, 0), 3)
    assert movements().count_documents({"kind": "ship"}) == 1


def test_what_has_no_stock_is_not_shipped() -> None:
    stocked(pen=1)
    reserve(order("rejected", pen=2))
    reserve(order("cancelled", pen=1))
    release(order("cancelled", pen=1))

    with pytest.raises(NotReserved, match="'rejected' is rejected"):
        ship("rejected", by="operator")
    with pytest.raises(NotReserved, match="'cancelled' is released"):
        ship("cancelled", by="operator")
    with pytest.raises(UnknownReservation):
        ship("unknown", by="operator")
    assert stock("pen") == (1, 0)


@pytest.mark.usefixtures("reserved")
def test_shipping_and_cancelling_at_once_end_with_one_of_both() -> None:
    def quietly(call: partial[object]) -> None:
        with suppress(NotReserved, PermanentError):
            call()

    at_once(
        [
            *(partial(quietly, partial(ship, "o1", by="operator")) for _ in range(6)),
            *(partial(quietly, partial(release, order("o1", pen=3))) for _ in range(6)),
        ]
    )

    state = reservations().find_one({"_id": "o1"})["state"]
    assert (state, stock("pen"), shipped("pen")) in [
        ("shipped", (7, 0), 3),
        ("released", (10, 0), 0),
    ]


@pytest.mark.usefixtures("reserved")
def test_a_shipment_is_published_once() -> None:
    ship("o1", by="operator")

    assert publish_waiting() == 1
    assert publish_waiting() == 0

    [message] = take_all("orders")
    assert message.properties["type"] == "inventory.shipped"
    assert message.properties["message_id"] == "inventory.shipped:o1"
    assert message.properties["correlation_id"] == "o1"
    assert msgspec.json.decode(message.body) == {
        "orderId": "o1",
        "userId": 101,
        "items": [{"sku": "pen", "quantity": 3}],
    }


@pytest.mark.usefixtures("reserved")
def test_shipping_needs_no_broker_and_is_published_when_it_is_back() -> None:
    with override_settings(AMQP_URL="amqp://guest:guest@127.0.0.1:1//"):
        ship("o1", by="operator")
        with pytest.raises(PublishError):
            publish_waiting()

    assert publish_waiting() == 1
    assert told() == ["inventory.shipped:o1"]


@pytest.mark.usefixtures("reserved")
def test_a_second_publish_is_the_same_message() -> None:
    ship("o1", by="operator")
    waiting = reservations().find_one({"_id": "o1"})["pending_since"]
    publish_waiting()
    # As after a crash between the confirm and the mark.
    reservations().update_one({"_id": "o1"}, {"$set": {"pending_since": waiting}})

    publish_waiting()

    first, second = take_all("orders")
    assert (first.body, first.properties) == (second.body, second.properties)


@pytest.mark.usefixtures("reserved")
def test_an_order_delivered_again_after_shipping_changes_nothing() -> None:
    ship("o1", by="operator")

    [event] = reserve_stock({"orderId": "o1", "userId": 101, "items": ["pen"]})

    assert event.type == "inventory.shipped"
    assert stock("pen") == (7, 0)


@pytest.mark.usefixtures("reserved")
def test_the_scheduler_publishes_what_was_shipped(processes: Processes) -> None:
    processes.start("scheduler")
    ship("o1", by="operator")

    assert eventually(told) == ["inventory.shipped:o1"]


@pytest.mark.usefixtures("reserved")
def test_waiting_shipments_are_found_through_their_index() -> None:
    ship("o1", by="operator")

    plan = reservations().find({"pending_since": {"$gt": EPOCH}}).sort("pending_since").explain()

    assert "reservations_pending" in str(plan["queryPlanner"]["winningPlan"])
