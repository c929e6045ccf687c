"""A cancelled order gives back what it has, once, whenever its cancellation comes."""

from __future__ import annotations

from functools import partial
from itertools import permutations

import pytest

from inventory.movements import movements
from inventory.recounting import recount
from inventory.releasing import release
from inventory.reserving import reservations, reserve
from inventory.shipping import ship
from inventory.tasks import release_stock, reserve_stock
from messaging.errors import PermanentError
from messaging.handling.handlers import known_types
from tests.concurrency import at_once
from tests.inventory.catalogue import order, stock, stocked

pytestmark = pytest.mark.usefixtures("clean")

BODY = {"orderId": "o1", "userId": 101, "items": ["pen", {"sku": "book", "quantity": 2}]}


def test_what_was_reserved_is_available_again() -> None:
    stocked(pen=10, book=5)
    reserve(order("o1", pen=2, book=1))

    released = release(order("o1", pen=2, book=1))

    assert released["state"] == "released"
    assert released["released_at"] is not None
    assert (stock("pen"), stock("book")) == ((10, 0), (5, 0))


def test_the_reservation_says_how_much_is_given_back_not_the_cancellation() -> None:
    stocked(pen=10)
    reserve(order("o1", pen=2))

    release(order("o1", pen=9))

    assert stock("pen") == (10, 0)


def test_an_order_after_its_cancellation_reserves_nothing() -> None:
    stocked(pen=10)
    release(order("o1", pen=2))

    assert reserve(order("o1", pen=2))["state"] == "released"
    assert stock("pen") == (10, 0)
    assert movements().count_documents({"order_id": "o1"}) == 0


def test_a_cancelled_order_frees_the_last_unit_for_the_next() -> None:
    stocked(pen=1)
    reserve(order("o1", pen=1))
    release(order("o1", pen=1))

    assert reserve(order("o2", pen=1))["state"] == "reserved"


def test_a_cancellation_after_shipping_asks_for_a_human() -> None:
    stocked(pen=1)
    reserve(order("o1", pen=1))
    ship("o1", by="operator")

    with pytest.raises(PermanentError, match=r"was shipped at .* cancellation came too late"):
        release(order("o1", pen=1))

    assert reservations().find_one({"_id": "o1"})["state"] == "shipped"


@pytest.mark.parametrize("available", [5, 1], ids=["in stock", "out of stock"])
def test_every_sequence_of_an_orders_events_ends_the_same(available: int) -> None:
    """Twice each of placed and cancelled, once rejected, which inventory has nothing to do for."""
    assert "order.rejected" in known_types("inventory")
    stocked(pen=5, book=available)

    for n, deliveries in enumerate(sorted(set(permutations("ppcc")))):
        body = BODY | {"orderId": f"o{n}"}
        for delivery in deliveries:
            reserve_stock(body) if delivery == "p" else release_stock(body)

    assert {each["state"] for each in reservations().find()} == {"released"}
    assert len({str(each["items"]) for each in reservations().find()}) == 1
    assert (stock("pen"), stock("book")) == ((5, 0), (available, 0))
    assert recount().differences == []


def test_fifty_cancellations_at_once_release_once() -> None:
    stocked(pen=10)
    reserve(order("o1", pen=2))
    reserve(order("o2", pen=3))

    at_once([partial(release, order("o1", pen=2)) for _ in range(50)])

    assert stock("pen") == (7, 3)
    assert movements().count_documents({"order_id": "o1", "kind": "release"}) == 1


def test_an_order_and_its_cancellation_at_once_end_with_nothing_reserved() -> None:
    stocked(pen=10)

    at_once(
        [
            *(partial(reserve, order("o1", pen=2)) for _ in range(8)),
            *(partial(release, order("o1", pen=2)) for _ in range(8)),
        ]
    )

    assert stock("pen") == (10, 0)
    assert reservations().find_one({"_id": "o1"})["state"] == "released"
    assert recount().differences == []
