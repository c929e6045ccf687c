"""Amounts are stored as PyMongo stores them, and read as text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from bson import Decimal128
from hypothesis import example, given
from hypothesis import strategies as st

from messaging.money import in_words, plain, stored, text_of


@pytest.mark.parametrize(
    ("amount", "for_programs", "for_people"),
    [
        ("12.5", "12.50", "12.50"),
        ("1234.5", "1234.50", "1,234.50"),
        ("0", "0.00", "0.00"),
        ("-0.00", "0.00", "0.00"),
        ("-0.001", "0.00", "-0.0010"),
        ("-0.00001", "0.00", "0.0000"),
        ("-25.99", "-25.99", "-25.99"),
        ("0.1234", "0.12", "0.1234"),
        ("1E+3", "1000.00", "1,000.00"),
        ("9999999999999999999.99", "9999999999999999999.99", "9,999,999,999,999,999,999.99"),
    ],
)
def test_an_amount_as_text(amount: str, for_programs: str, for_people: str):
    assert plain(Decimal(amount)) == for_programs
    assert in_words(Decimal(amount)) == for_people
    assert in_words(Decimal(amount), "EUR") == f"{for_people} EUR"


@given(st.decimals(-(10**12), 10**12, places=2))
def test_no_cent_is_lost(amount: Decimal):
    assert Decimal(plain(amount)) == Decimal(in_words(amount).replace(",", "")) == amount


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
@example(Decimal("12.345"))
def test_a_stored_amount_reads_as_any_other(amount: Decimal) -> None:
    assert text_of(stored(amount)) == plain(amount)


@pytest.mark.parametrize("amount", ["-0.00", "-12.5", "-12.50", "12.5", "1E+3", "NaN"])
def test_what_another_program_has_stored_is_read_all_the_same(amount: str) -> None:
    assert text_of(Decimal128(amount)) == plain(Decimal(amount))


@pytest.mark.parametrize("rate", ["1E+1", "1.9E+1", "1E+2"])
def test_a_rate_in_powers_of_ten_is_stored_in_digits(rate: str) -> None:
    assert str(stored(Decimal(rate))) == f"{Decimal(rate):f}"
