"""The events of orders: the order as it was when it happened."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from messaging.published import Currency, Money, OrderId, Published, Quantity, Sku, UserId
from messaging.topology import order_events, order_events_topic


class OrderLine(Struct, rename="camel"):
    """Units of one SKU at the price of the catalogue when the order was placed."""

    sku: Sku
    quantity: Quantity
    unit_price: Money


class Order(Struct, rename="camel"):
    order_id: OrderId
    user_id: UserId
    items: list[OrderLine]
    total: Money
    currency: Currency
    created_at: datetime


class OrderPlaced(Order, kw_only=True):
    """A customer has placed the order; inventory and billing act on it."""

    status: Literal["placed"]


class OrderConfirmed(Order, kw_only=True):
    """Inventory has reserved the order's items and billing has issued its invoice."""

    status: Literal["confirmed"]


class OrderRejected(Order, kw_only=True):
    """Inventory could not reserve the order's items; billing credits it."""

    status: Literal["rejected"]
    reason: str | None


class OrderCancelled(Order, kw_only=True):
    """The order was cancelled before it was shipped; inventory releases and billing credits it."""

    status: Literal["cancelled"]
    reason: str | UnsetType = UNSET


PUBLISHED = [
    Published("order.placed", 1, OrderPlaced, order_events),
    Published("order.confirmed", 1, OrderConfirmed, order_events_topic),
    Published("order.rejected", 1, OrderRejected, order_events),
    Published("order.cancelled", 1, OrderCancelled, order_events),
]
