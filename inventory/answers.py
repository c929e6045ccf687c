"""What clients are told of the catalogue and the stock."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from runtime.moment import Moment
from runtime.requests.cursor import Next

Sku = Annotated[str, Meta(description="Of the catalogue.", examples=["pen"])]
OrderId = Annotated[
    str,
    Meta(description="24 hexadecimal digits.", examples=["674300000000000000000001"]),
]


class ProductPrice(TypedDict):
    """Both null where another program wrote a price that cannot be used."""

    price: Annotated[str | None, Meta(description="As text, with its currency's decimals.")]
    currency: Annotated[str | None, Meta(description="ISO 4217.")]


class Product(ProductPrice):
    """What can be ordered."""

    sku: Sku
    name: str
    available: Annotated[int, Meta(description="Units that are not reserved.")]
    withdrawnAt: NotRequired[Moment]


class ProductPage(TypedDict):
    """Products by SKU."""

    products: list[Product]
    next: Next


class Stock(TypedDict):
    """A product's units."""

    sku: Sku
    available: int
    reserved: int
    shipped: int


class StockLine(TypedDict):
    """Units of one SKU."""

    sku: Sku
    quantity: int


class Shipment(TypedDict):
    """An order whose goods have left the house."""

    message: str
    orderId: OrderId
    state: str
    items: list[StockLine]
    shippedAt: Moment
