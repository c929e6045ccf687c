"""What a product costs, as its document in the catalogue says.

The catalogue is inventory's, and other programs write to it, too. So what is read of it is checked
here, for whoever sells or shows a product: one with a wrong price costs the shop its own orders,
and no other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from bson import Decimal128

from messaging.money import CENT

#: As much as an invoice's unit price can hold: nine digits before the point.
TOO_HIGH = Decimal(1_000_000_000)

_CURRENCY = re.compile(r"[A-Z]{3}")


class Price(NamedTuple):
    """What one unit costs: an amount with two places, and its ISO 4217 currency."""

    amount: Decimal
    currency: str


class InvalidPrice(ValueError):
    """The product cannot be sold; the text says what is wrong with its document."""


def price_of(product: Mapping[str, Any]) -> Price:
    """The price of a product, from the `price` and the `currency` of its document.

    Raises:
        InvalidPrice: there is none that an order could be charged.
    """
    return Price(_amount(product.get("price")), _currency(product.get("currency")))


def _amount(stored: object) -> Decimal:
    if stored is None:
        raise InvalidPrice("it has no price")
    if not isinstance(stored, Decimal128):
        raise InvalidPrice(f"its price {_shown(stored)} is not a decimal128")
    amount = stored.to_decimal()
    if not amount.is_finite() or amount < 0:
        raise InvalidPrice(f"its price {amount} is not 0 or more")
    if amount >= TOO_HIGH:
        raise InvalidPrice(f"its price {amount} is not below {TOO_HIGH}")
    # Plus zero: `-0` is equal to `0`, but not the same text.
    cents = amount.quantize(CENT) + 0
    if cents != amount:
        raise InvalidPrice(f"its price {amount} has more than two decimal places")
    return cents


def _currency(stored: object) -> str:
    if stored is None:
        raise InvalidPrice("it has no currency")
    if not isinstance(stored, str) or not _CURRENCY.fullmatch(stored):
        raise InvalidPrice(f"its currency {_shown(stored)} is not an ISO 4217 code")
    return stored


def _shown(stored: object) -> str:
    return f"{str(stored)[:40]!r} ({type(stored).__name__})"
