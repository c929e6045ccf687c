"""Money is stored as PyMongo stores it, and read back as it was written."""

from __future__ import annotations

from decimal import Decimal

import pytest
from bson import Decimal128
from hypothesis import example, given
from hypothesis import strategies as st

from billing.money import stored, text_of

#: A thousand lines of ten million units at the highest price.
HIGHEST_TOTAL = 10**19

amounts = st.integers(0, 4).flatmap(lambda places: st.decimals(0, HIGHEST_TOTAL, places=places))


@given(amounts)
@example(Decimal("0"))
@example(Decimal("0.00"))
@example(Decimal("0.0001"))
@example(Decimal("12.50"))
@example(Decimal(HIGHEST_TOTAL))
def test_an_amount_is_stored_as_pymongo_does(amount: Decimal) -> None:
    assert stored(amount) == Decimal128(amount)
    assert stored(amount).to_decimal() == amount


@given(amounts)
def test_a_stored_amount_reads_as_it_was_written(amount: Decimal) -> None:
    assert text_of(stored(amount)) == str(amount)


@pytest.mark.parametrize("rate", ["1E+1", "1.9E+1", "1E+2"])
def test_a_rate_in_powers_of_ten_is_stored_in_digits(rate: str) -> None:
    assert str(stored(Decimal(rate))) == f"{Decimal(rate):f}"
