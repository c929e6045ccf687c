"""Products for the tests, and what is in stock of them."""

from __future__ import annotations

from bson import Decimal128

from inventory.order_in_message import PlacedOrder
from inventory.reserving import products
from inventory.restocking import add_products


def stocked(**available: int) -> None:
    """Add products with so many units each."""
    if available:
        add_products([product(sku, units) for sku, units in available.items()])


def product(sku: str, available: int) -> dict[str, object]:
    """A product as the catalogue stores it."""
    return {
        "sku": sku,
        "name": sku.title(),
        "price": Decimal128("1.50"),
        "currency": "EUR",
        "available": available,
        "reserved": 0,
        "shipped": 0,
    }


def stock(sku: str) -> tuple[int, int]:
    """Its available and its reserved units."""
    found = products().find_one({"sku": sku})
    assert found
    return found["available"], found["reserved"]


def order(order_id: str, **quantities: int) -> PlacedOrder:
    """An order of user 101."""
    return PlacedOrder(order_id, 101, quantities)
