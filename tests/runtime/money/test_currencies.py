"""Currencies have the decimals that ISO 4217 gives them. In memory."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.money.currencies import DECIMALS, decimals_of, example, rounded, smallest_unit


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [
        *(("EUR", 2), ("USD", 2), ("HUF", 2), ("IDR", 2), ("MGA", 2)),
        *(("JPY", 0), ("KRW", 0), ("ISK", 0), ("CLP", 0), ("VND", 0)),
        *(("KWD", 3), ("BHD", 3), ("JOD", 3), ("OMR", 3), ("TND", 3), ("IQD", 3)),
        ("CLF", 4),
    ],
)
def test_the_decimals_are_those_of_iso_4217(currency: str, decimals: int) -> None:
    assert decimals_of(currency) == DECIMALS[currency] == decimals
    assert smallest_unit(currency) == Decimal(10) ** -decimals


@pytest.mark.parametrize("code", ["XXX", "XTS", "XAU", "XDR", "", "ABC", "eur", None])
def test_nothing_can_be_sold_in_what_has_no_smallest_unit(code: str) -> None:
    assert code not in DECIMALS


@pytest.mark.parametrize(
    ("amount", "currency", "whole"),
    [
        ("0.5", "JPY", "1"),
        ("0.49", "JPY", "0"),
        ("0.005", "EUR", "0.01"),
        ("0.0005", "KWD", "0.001"),
        ("2", "KWD", "2.000"),
    ],
)
def test_halves_of_the_smallest_unit_go_up(amount: str, currency: str, whole: str) -> None:
    assert str(rounded(Decimal(amount), currency)) == whole


@given(st.decimals(0, 10**15, places=4), st.sampled_from([*DECIMALS]))
def test_rounding_moves_by_half_a_unit_at_most(amount: Decimal, currency: str) -> None:
    whole = rounded(amount, currency)

    assert abs(whole - amount) <= smallest_unit(currency) / 2
    assert whole.as_tuple().exponent == -decimals_of(currency)


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD", "CLF"])
def test_an_example_can_be_charged(currency: str) -> None:
    amount = Decimal(example(currency))

    assert amount == rounded(amount, currency)
