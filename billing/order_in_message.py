"""What billing needs to know of an order."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

from django.conf import settings
from msgspec import Meta, Struct

from messaging import body
from messaging.errors import InvalidMessage
from messaging.incoming_fields import OrderId, UserId
from messaging.order_id import of_message
from runtime.money.currencies import DECIMALS, WRONG, rounded

PLACED_EXAMPLE = (
    '{"orderId": "6743…", "userId": 101, "items": [{"sku": "pen", "quantity": 2, '
    '"unitPrice": "12.50"}], "total": "25.00", "currency": "EUR"}'
)
WITHDRAWN_EXAMPLE = '{"orderId": "6743…", "userId": 101, "reason": "Out of stock"}'

#: What a credit note can hold of a reason; a longer one is cut.
MAX_REASON_CHARACTERS = 500

Sku = Annotated[str, Meta(min_length=1, max_length=64)]
#: Text, never a JSON number: a float can't hold every price.
Money = Annotated[str, Meta(pattern=r"\A[0-9]{1,20}(\.[0-9]{1,4})?\Z")]
#: ISO 4217; the shop's own where an order names none.
Currency = Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")]
UnitPrice = Annotated[str, Meta(pattern=r"\A[0-9]{1,9}(\.[0-9]{1,4})?\Z")]


class _Line(Struct, rename="camel"):
    sku: Sku
    quantity: Annotated[int, Meta(ge=1, le=10_000_000)]
    unit_price: UnitPrice


class _PlacedOrder(Struct, rename="camel"):
    order_id: OrderId
    user_id: UserId
    items: Annotated[list[Sku | _Line], Meta(min_length=1, max_length=1000)]
    total: Money | None = None
    currency: Currency = settings.CURRENCY


class _WithdrawnOrder(Struct, rename="camel"):
    order_id: OrderId
    user_id: UserId
    reason: str | None = None
    currency: Currency = settings.CURRENCY


class Line(Struct, frozen=True):
    """Units of one SKU at one price."""

    sku: str
    quantity: int
    unit_price: Decimal
    #: quantity x unit_price, in whole smallest units of the order's currency.
    amount: Decimal


class PlacedOrder(Struct, frozen=True):
    """An order that has to be paid."""

    order_id: str
    user_id: int
    lines: tuple[Line, ...]
    #: The sum of the lines' amounts.
    total: Decimal
    #: ISO 4217.
    currency: str


class WithdrawnOrder(Struct, frozen=True):
    """An order that need not be paid: inventory rejected it, or it was cancelled."""

    order_id: str
    user_id: int
    #: ISO 4217.
    currency: str
    reason: str | None = None


@lru_cache(maxsize=10_000)
def line_of(sku: str, quantity: int, unit_price: str, currency: str) -> Line:
    """Remembered, as the lines of a catalogue come back and decimals are slow."""
    price = Decimal(unit_price)
    return Line(sku, quantity, price, rounded(quantity * price, currency))


def read_placed(order: Mapping[str, Any]) -> PlacedOrder:
    """Return the body of an `order.placed` as billing sees it.

    Each of `items` needs a `unitPrice`, a decimal string; `total` and `currency` may be absent.

    Raises:
        InvalidMessage: names the field and shows a right body; also where `total` is not the
            sum of the lines, or nothing can be sold in the currency.
    """
    asked = body.read(order, _PlacedOrder, example=PLACED_EXAMPLE)
    currency = asked.currency
    if currency not in DECIMALS:
        raise _unreadable(f"currency: {WRONG}, not {currency!r}")
    lines = tuple([_priced(item, index, currency) for index, item in enumerate(asked.items)])
    total = sum([line.amount for line in lines], Decimal())
    _check_total(asked.total, total)
    order_id = of_message(asked.order_id, example=PLACED_EXAMPLE)
    return PlacedOrder(order_id, asked.user_id, lines, total, currency)


def read_withdrawn(order: Mapping[str, Any]) -> WithdrawnOrder:
    """Return the body of an `order.rejected` or `order.cancelled` as billing sees it.

    Raises:
        InvalidMessage: names the field and shows a right body.
    """
    told = body.read(order, _WithdrawnOrder, example=WITHDRAWN_EXAMPLE)
    reason = told.reason[:MAX_REASON_CHARACTERS] if told.reason else None
    order_id = of_message(told.order_id, example=WITHDRAWN_EXAMPLE)
    return WithdrawnOrder(order_id, told.user_id, told.currency, reason)


def _priced(item: str | _Line, index: int, currency: str) -> Line:
    if isinstance(item, str):
        raise _unreadable(f"items[{index}].unitPrice is missing")
    return line_of(item.sku, item.quantity, item.unit_price, currency)


# The customer was told the total: an invoice over another sum is never issued.
def _check_total(told: str | None, owed: Decimal) -> None:
    if told is not None and Decimal(told) != owed:
        raise _unreadable(f"total: the lines add up to {owed}, not to {told}")


def _unreadable(problem: str) -> InvalidMessage:
    return body.unreadable(problem, example=PLACED_EXAMPLE)
