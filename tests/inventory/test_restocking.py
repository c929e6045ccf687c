"""Units come in once for each delivery, and answer no order anew."""

from __future__ import annotations

from functools import partial

import pytest

from inventory.refusals import KeyReused, UnknownSku
from inventory.reserving import products, reserve
from inventory.restocking import add_products, deliver
from tests.concurrency import at_once
from tests.inventory.catalogue import order, product, stock, stocked

pytestmark = pytest.mark.usefixtures("clean")


def test_new_units_are_available_to_the_next_order_and_rejections_stand() -> None:
    stocked(pen=0)
    reserve(order("o1", pen=1))

    after = deliver("pen", 5, key="k", by="operator").product

    assert (after["available"], stock("pen")) == (5, (5, 0))
    assert reserve(order("o1", pen=1))["state"] == "rejected"
    assert reserve(order("o2", pen=1))["state"] == "reserved"


def test_fifty_times_the_same_delivery_at_once_is_one() -> None:
    stocked(pen=1)

    at_once([partial(deliver, "pen", 5, key="k", by="operator") for _ in range(50)])

    assert stock("pen") == (6, 0)


def test_another_quantity_under_the_same_key_is_refused() -> None:
    stocked(pen=1)
    deliver("pen", 5, key="k", by="operator")

    with pytest.raises(KeyReused, match="has restocked 5 units before"):
        deliver("pen", 6, key="k", by="operator")

    assert stock("pen") == (6, 0)


def test_a_sku_that_the_catalogue_lacks_is_refused() -> None:
    with pytest.raises(UnknownSku, match="'globe' is not in the catalogue"):
        deliver("globe", 1, key="k", by="operator")


def test_a_product_that_is_there_keeps_its_stock_when_added_again() -> None:
    stocked(pen=5)

    assert add_products([product("pen", 99), product("book", 1)]) == 1

    assert (stock("pen"), stock("book")) == ((5, 0), (1, 0))


def test_a_product_added_by_two_at_once_is_there_once() -> None:
    added = at_once([partial(add_products, [product("pen", 5)]) for _ in range(8)])

    assert sum(added) == 1
    assert products().count_documents({"sku": "pen"}) == 1
