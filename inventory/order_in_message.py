"""What inventory needs to know of an order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct

from messaging import body
from messaging.incoming_fields import OrderId, UserId
from messaging.order_id import of_message

EXAMPLE = '{"orderId": "6743…", "userId": 101, "items": ["book", {"sku": "pen", "quantity": 2}]}'

Sku = Annotated[str, Meta(min_length=1, max_length=64)]


class _Line(Struct):
    sku: Sku
    quantity: Annotated[int, Meta(ge=1, le=10_000_000)]


class _Order(Struct, rename="camel"):
    order_id: OrderId
    user_id: UserId
    items: Annotated[list[Sku | _Line], Meta(min_length=1, max_length=1000)]


class PlacedOrder(Struct, frozen=True):
    """An order that asks for stock."""

    order_id: str
    user_id: int
    #: Units asked, by SKU; each SKU once.
    quantities: Mapping[str, int]


def read(order: Mapping[str, Any]) -> PlacedOrder:
    """Return the body of an `order.placed` as inventory sees it.

    `items` holds SKUs, one unit each, or `{"sku", "quantity"}`; `orderId` may be a number, as
    foreign publishers send it.

    Raises:
        InvalidMessage: names the field and shows a right body.
    """
    asked = body.read(order, _Order, example=EXAMPLE)
    quantities: Counter[str] = Counter()
    for item in asked.items:
        if isinstance(item, str):
            quantities[item] += 1
        else:
            quantities[item.sku] += item.quantity
    order_id = of_message(asked.order_id, example=EXAMPLE)
    return PlacedOrder(order_id, asked.user_id, dict(quantities))
