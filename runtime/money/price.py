"""What a product costs, as its document in the catalogue says.

The catalogue is inventory's, and other programs write to it, too. So what is read of it is checked
here, for whoever sells or shows a product: one with a wrong price costs the shop its own orders,
and no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from bson import Decimal128

from runtime.money.currencies import DECIMALS, decimals_of, smallest_unit

#: As much as an invoice's unit price can hold: nine digits before the point.
TOO_HIGH = Decimal(1_000_000_000)


class Price(NamedTuple):
    """What one unit costs: an amount with its currency's decimals, and the currency (ISO 4217)."""

    amount: Decimal
    currency: str


class InvalidPrice(ValueError):
    """The product cannot be sold; the text says what is wrong with its document."""


def price_of(product: Mapping[str, Any]) -> Price:
    """The price of a product, from the `price` and the `currency` of its document.

    Raises:
        InvalidPrice: there is none that an order could be charged.
    """
    currency = _currency(product.get("currency"))
    return Price(_amount(product.get("price"), currency), currency)


def _amount(stored: object, currency: str) -> Decimal:
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
    exact = amount.quantize(smallest_unit(currency)) + 0
    if exact != amount:
        raise InvalidPrice(f"its price {amount} has more decimals than {told_decimals(currency)}")
    return exact


def has_too_many_decimals(typed: str, currency: str) -> bool:
    """Whether decimal digits have more decimals than the currency, be they zeros: 1.000 in EUR may
    be meant for a thousand.
    """
    return len(typed.partition(".")[2]) > decimals_of(currency)


def told_decimals(currency: str) -> str:
    """`JPY, which has none`."""
    return f"{currency}, which has {decimals_of(currency) or 'none'}"


def _currency(stored: object) -> str:
    if stored is None:
        raise InvalidPrice("it has no currency")
    if not isinstance(stored, str) or stored not in DECIMALS:
        raise InvalidPrice(
            f"its currency {_shown(stored)} is not one of ISO 4217 that has a smallest unit"
        )
    return stored


def _shown(stored: object) -> str:
    return f"{str(stored)[:40]!r} ({type(stored).__name__})"
