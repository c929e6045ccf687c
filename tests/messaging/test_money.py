"""Amounts as text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.money import in_words, plain


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
