"""Amounts of money: as MongoDB stores them, as text for programs, and in words for people.

PyMongo's own conversions take 5 µs each, which was a quarter of what an invoice cost its service.
The bits are those of IEEE 754-2008, section 3.5.2, with the binary encoding of the digits.
https://github.com/mongodb/specifications/blob/master/source/bson-decimal128/decimal128.md
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from bson import Decimal128

CENT = Decimal("0.01")

#: The exponent of ten comes after so many bits of digits, and this much higher.
DIGITS_BITS = 113
EXPONENT_BIAS = 6176
#: The sign and the exponent of an amount that is not negative and has two decimals.
TWO_DECIMALS = EXPONENT_BIAS - 2


def plain(amount: Decimal) -> str:
    """`12.5` -> `12.50`, for programs; what rounds to nothing has no sign."""
    return f"{amount:z.2f}"


def in_words(amount: Decimal, currency: str = "") -> str:
    """`1234.5` -> `1,234.50 EUR`, for people; with four places where two don't hold it."""
    holds = amount == amount.quantize(CENT)
    number = f"{amount:z,.2f}" if holds else f"{amount:z,.4f}"
    return f"{number} {currency}" if currency else number


def text_of(amount: Decimal128) -> str:
    """A stored amount as `plain` writes it."""
    return _text_of(amount.bid)


@lru_cache(maxsize=10_000)
def _text_of(bid: bytes) -> str:
    """Remembered by MongoDB's own bytes, as prices come back."""
    bits = int.from_bytes(bid, "little")
    if bits >> DIGITS_BITS != TWO_DECIMALS:
        return plain(Decimal128.from_bid(bid).to_decimal())
    digits = str(bits & (1 << DIGITS_BITS) - 1).zfill(3)
    return f"{digits[:-2]}.{digits[-2:]}"


def stored(amount: Decimal) -> Decimal128:
    """The same amount with the same decimals: 12.50 is not stored as 12.5.

    Args:
        amount: not negative.
    """
    return _read(str(amount))


@lru_cache(maxsize=10_000)
def _read(amount: str) -> Decimal128:
    """Remembered, as the prices of a catalogue come back: each is 5 µs of an order's 120."""
    if "E" in amount:
        amount = f"{Decimal(amount):f}"
    whole, _, decimals = amount.partition(".")
    bits = (EXPONENT_BIAS - len(decimals)) << DIGITS_BITS | int(whole + decimals)
    return Decimal128.from_bid(bits.to_bytes(16, "little"))
