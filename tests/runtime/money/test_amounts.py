"""Amounts are stored as PyMongo stores them, and read as text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from bson import Decimal128
from hypothesis import example, given
from hypothesis import strategies as st

from runtime.money.amounts import grouped, in_words, plain, stored, text_of
from runtime.money.currencies import DECIMALS, decimals_of


@pytest.mark.parametrize(
    ("amount", "for_programs", "for_people"),
    [
        ("12.5", "12.50", "12.50"),
        ("1234.5", "1234.50", "1,234.50"),
        ("0", "0.00", "0.00"),
        ("-0.00", "0.00", "0.00"),
        ("-0.001", "-0.0010", "-0.0010"),
        ("-0.00001", "0.0000", "0.0000"),
        ("-25.99", "-25.99", "-25.99"),
        ("0.1234", "0.1234", "0.1234"),
        ("1E+3", "1000.00", "1,000.00"),
        ("9999999999999999999.99", "9999999999999999999.99", "9,999,999,999,999,999,999.99"),
    ],
)
def test_an_amount_as_text(amount: str, for_programs: str, for_people: str):
    assert plain(Decimal(amount), "EUR") == for_programs
    assert grouped(Decimal(amount), "EUR") == for_people
    assert in_words(Decimal(amount), "EUR") == f"{for_people} EUR"


@pytest.mark.parametrize(
    ("amount", "currency", "for_programs", "for_people"),
    [
        ("1250", "JPY", "1250", "1,250 JPY"),
        ("1250.00", "JPY", "1250", "1,250 JPY"),
        ("1.25E+3", "JPY", "1250", "1,250 JPY"),
        ("-0", "JPY", "0", "0 JPY"),
        ("0.5", "JPY", "0.5000", "0.5000 JPY"),
        ("1234.5", "KWD", "1234.500", "1,234.500 KWD"),
        ("1234.567", "KWD", "1234.567", "1,234.567 KWD"),
        ("0.0001", "CLF", "0.0001", "0.0001 CLF"),
        ("12.5", "HRK", "12.50", "12.50 HRK"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(
    amount: str, currency: str, for_programs: str, for_people: str
):
    assert plain(Decimal(amount), currency) == for_programs
    assert text_of(Decimal128(amount), currency) == for_programs
    assert in_words(Decimal(amount), currency) == for_people


codes = st.sampled_from([*DECIMALS, "HRK", "ZZZ"])


@given(st.decimals(-(10**12), 10**12, places=4), codes)
def test_nothing_of_an_amount_is_lost(amount: Decimal, currency: str):
    for_people = grouped(amount, currency).replace(",", "")

    assert Decimal(plain(amount, currency)) == Decimal(for_people) == amount


@given(st.integers(0, 10**15), codes)
def test_whole_smallest_units_have_the_decimals_of_the_currency(units: int, currency: str):
    decimals = decimals_of(currency)
    text = plain(Decimal(units).scaleb(-decimals), currency)

    assert len(text.partition(".")[2]) == decimals
    assert int(text.replace(".", "")) == units


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


@given(amounts, codes)
@example(Decimal("12.345"), "EUR")
@example(Decimal("0"), "JPY")
@example(Decimal("0.05"), "KWD")
def test_a_stored_amount_reads_as_any_other(amount: Decimal, currency: str) -> None:
    assert text_of(stored(amount), currency) == plain(amount, currency)


@pytest.mark.parametrize("amount", ["-0.00", "-12.5", "-12.50", "12.5", "1E+3", "NaN"])
def test_what_another_program_has_stored_is_read_all_the_same(amount: str) -> None:
    assert text_of(Decimal128(amount), "EUR") == plain(Decimal(amount), "EUR")


@pytest.mark.parametrize("rate", ["1E+1", "1.9E+1", "1E+2"])
def test_a_rate_in_powers_of_ten_is_stored_in_digits(rate: str) -> None:
    assert str(stored(Decimal(rate))) == f"{Decimal(rate):f}"
