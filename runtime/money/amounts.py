"""Amounts of money: as MongoDB stores them, as text for programs, and in words for people.

PyMongo's own conversions take 5 µs each, which was a quarter of what an invoice cost its service.
The bits are those of IEEE 754-2008, section 3.5.2, with the binary encoding of the digits.
https://github.com/mongodb/specifications/blob/master/source/bson-decimal128/decimal128.md
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from bson import Decimal128

from runtime.money.currencies import MOST_DECIMALS, decimals_of

#: The exponent of ten comes after so many bits of digits, and this much higher.
DIGITS_BITS = 113
EXPONENT_BIAS = 6176


def plain(amount: Decimal, currency: str) -> str:
    """`12.5` -> `12.50` EUR, `1250` JPY, `12.500` KWD, for programs; nothing has no sign.

    With four decimals where those of the currency don't hold the amount.
    """
    return f"{amount:z.{_decimals(amount, currency)}f}"


def grouped(amount: Decimal, currency: str) -> str:
    """The same for people: `1234.5` -> `1,234.50`."""
    return f"{amount:z,.{_decimals(amount, currency)}f}"


def in_words(amount: Decimal, currency: str) -> str:
    """`1234.5` -> `1,234.50 EUR`, for people."""
    return f"{grouped(amount, currency)} {currency}"


def text_of(amount: Decimal128, currency: str) -> str:
    """A stored amount as `plain` writes it."""
    return _text_of(amount.bid, currency)


@lru_cache(maxsize=10_000)
def _text_of(bid: bytes, currency: str) -> str:
    """Remembered by MongoDB's own bytes, as prices come back."""
    decimals = decimals_of(currency)
    bits = int.from_bytes(bid, "little")
    # The sign and the exponent of an amount that is not negative and has these decimals.
    if bits >> DIGITS_BITS != EXPONENT_BIAS - decimals:
        return plain(Decimal128.from_bid(bid).to_decimal(), currency)
    digits = str(bits & (1 << DIGITS_BITS) - 1).zfill(decimals + 1)
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits


def _decimals(amount: Decimal, currency: str) -> int:
    decimals = decimals_of(currency)
    exponent = amount.normalize().as_tuple().exponent
    # Not a number has a letter for its exponent.
    is_held = not isinstance(exponent, int) or -exponent <= decimals
    return decimals if is_held else MOST_DECIMALS


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
