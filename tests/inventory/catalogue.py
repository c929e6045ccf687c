"""Products for the tests, and a look at their stock."""

from __future__ import annotations

from decimal import Decimal

from inventory.models import Product
from inventory.order import PlacedOrder
from inventory.reserving import products


def stocked(**available: int) -> None:
    """Add products with so many units each."""
    for sku, units in available.items():
        Product.objects.create(sku=sku, name=sku.title(), price=Decimal("1.50"), available=units)


def stock(sku: str) -> tuple[int, int]:
    """Its available and its reserved units."""
    product = products().find_one({"sku": sku})
    assert product
    return product["available"], product["reserved"]


def order(order_id: str, **quantities: int) -> PlacedOrder:
    """An order of user 101."""
    return PlacedOrder(order_id, 101, quantities)
