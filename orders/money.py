"""Money as text."""

from __future__ import annotations

from functools import lru_cache

from bson import Decimal128

from messaging.money import plain


def money(amount: Decimal128) -> str:
    """`12.5` -> `"12.50"`: a float would lose cents."""
    return _money(amount.bid)


@lru_cache(maxsize=10_000)
def _money(bid: bytes) -> str:
    """Remembered by MongoDB's own bytes, as prices come back and their conversion is slow."""
    return plain(Decimal128.from_bid(bid).to_decimal())
