"""The events of inventory: what became of an order's stock."""

from __future__ import annotations

from msgspec import Struct

from messaging.published import OrderId, Published, Quantity, Sku, UserId
from messaging.topology import inventory_events


class StockLine(Struct):
    """Units of one SKU."""

    sku: Sku
    quantity: Quantity


class Shortage(Struct):
    """More of a SKU was asked than was available."""

    sku: Sku
    asked: int
    available: int


class Stock(Struct, rename="camel"):
    order_id: OrderId
    user_id: UserId
    items: list[StockLine]


class InventoryReserved(Stock):
    """Every item of the order is reserved for it."""


class InventoryRejected(Stock):
    """Some item is out of stock, so nothing is reserved for the order."""

    reason: str
    shortages: list[Shortage]


class InventoryReleased(Stock):
    """The order was cancelled: what was reserved for it is available again."""


class InventoryShipped(Stock):
    """The order's items have left the house."""


PUBLISHED = [
    Published("inventory.reserved", 1, InventoryReserved, inventory_events),
    Published("inventory.rejected", 1, InventoryRejected, inventory_events),
    Published("inventory.released", 1, InventoryReleased, inventory_events),
    Published("inventory.shipped", 1, InventoryShipped, inventory_events),
]
