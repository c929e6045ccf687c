"""A product that was withdrawn: what was ordered of it goes its way."""

from __future__ import annotations

import pytest
from django.test import Client

from inventory import catalogue
from inventory.recounting import recount
from inventory.releasing import release
from inventory.reserving import reserve
from inventory.restocking import deliver
from inventory.shipping import ship
from tests.inventory.catalogue import order, stock, stocked

pytestmark = pytest.mark.usefixtures("db")


def test_its_orders_are_reserved_released_and_shipped_as_before() -> None:
    stocked(pen=5)
    reserve(order("o1", pen=1))
    reserve(order("o2", pen=1))

    catalogue.change("pen", catalogue.withdrawn(), by="lead")

    assert reserve(order("o3", pen=1))["state"] == "reserved"
    assert ship("o1", by="clerk")["state"] == "shipped"
    assert release(order("o2"))["state"] == "released"
    deliver("pen", 2, key="sent back", by="clerk")
    assert stock("pen") == (5, 1)
    assert recount().differences == []


def test_a_page_of_the_admin_withdraws_and_offers_again(admin_client: Client) -> None:
    stocked(pen=1, cup=1)
    found = catalogue.find("pen")
    assert found

    def act(action: str) -> list[str]:
        chosen = {"action": action, "_selected_action": [str(found["_id"])]}
        admin_client.post("/admin/inventory/product/", chosen, SERVER_NAME="localhost")
        return [each["sku"] for each in catalogue.page("", "", 10).products]

    assert act("withdraw_selected") == ["cup"]
    assert act("offer_selected") == ["cup", "pen"]
