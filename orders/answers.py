"""What clients are told of an order; `orders.representation` makes it."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta

from orders import models
from runtime.moment import Moment
from runtime.requests.cursor import Next

OrderId = Annotated[
    str,
    Meta(description="24 hexadecimal digits.", examples=["674300000000000000000001"]),
]
Amount = Annotated[
    str,
    Meta(
        description="As text, so that nothing is lost, with the decimals of the order's currency: "
        "25.00 EUR, 25 JPY.",
        examples=["25.00"],
    ),
]
Currency = Annotated[str, Meta(description="ISO 4217.", examples=["EUR"])]
UserIdText = Annotated[
    str, Meta(description="`userId` as text, where it is beyond 2^53 - 1 (JavaScript rounds it).")
]
Status = Literal[*models.Status.values]  # type: ignore[valid-type]


class OrderLine(TypedDict):
    """Units of one SKU, with the price at which they were ordered."""

    sku: str
    quantity: int
    unitPrice: Amount


class Order(TypedDict):
    """An order."""

    orderId: OrderId
    userId: int
    userIdText: NotRequired[UserIdText]
    items: list[OrderLine]
    total: Amount
    currency: Currency
    status: Status
    createdAt: Moment


class LedgerEntry(TypedDict):
    """What one service has done about the order so far."""

    state: str
    at: Moment | None
    detail: str | None


class Cancellation(TypedDict):
    """When the order was cancelled, and why."""

    at: Moment
    reason: str | None


class OrderWithLedger(Order):
    """An order, what each service has done about it, and its cancellation."""

    cancellation: NotRequired[Cancellation]
    updatedAt: Moment
    ledger: Annotated[
        dict[str, LedgerEntry], Meta(description="By service: inventory, billing and others.")
    ]


class PlacedOrder(TypedDict):
    """The answer to a new order."""

    message: str
    order: Order


class CancelledOrder(TypedDict):
    """The answer to a cancellation."""

    message: str
    order: Order


class OrderPage(TypedDict):
    """Orders, newest first."""

    orders: list[Order]
    next: Next
