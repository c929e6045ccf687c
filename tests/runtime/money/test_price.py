"""Which documents of the catalogue an order can be charged by. In memory."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from bson import Decimal128

from runtime.money.price import InvalidPrice, has_too_many_decimals, price_of


@pytest.mark.parametrize(
    ("stored", "amount"),
    [
        ("12.50", "12.50"),
        ("12.5", "12.50"),
        ("12.5000", "12.50"),
        ("1E+2", "100.00"),
        ("0", "0.00"),
        ("-0", "0.00"),
        ("999999999.99", "999999999.99"),
    ],
)
def test_a_price_has_two_places(stored: str, amount: str) -> None:
    price = price_of({"price": Decimal128(stored), "currency": "EUR"})

    assert (str(price.amount), price.currency) == (amount, "EUR")


@pytest.mark.parametrize(
    ("price", "why"),
    [
        (None, "no price"),
        (12.5, "is not a decimal128"),
        ("12.50", "is not a decimal128"),
        ({"$numberDecimal": "1"}, "is not a decimal128"),
        (Decimal128("-0.01"), "is not 0 or more"),
        (Decimal128("NaN"), "is not 0 or more"),
        (Decimal128("sNaN"), "is not 0 or more"),
        (Decimal128("Infinity"), "is not 0 or more"),
        (Decimal128("1000000000"), "is not below"),
        (Decimal128("1E+6000"), "is not below"),
        (Decimal128("0.001"), "more decimals than EUR, which has 2"),
    ],
)
def test_a_price_that_nobody_can_be_charged_is_told(price: Any, why: str) -> None:
    with pytest.raises(InvalidPrice, match=why):
        price_of({"price": price, "currency": "EUR"})


@pytest.mark.parametrize(
    "currency", [None, "", "eur", "EURO", "€", 978, ["EUR"], "ABC", "XAU", "XXX"]
)
def test_a_currency_that_is_none_is_told(currency: Any) -> None:
    with pytest.raises(InvalidPrice, match="currency"):
        price_of({"price": Decimal128(Decimal(1)), "currency": currency})


@pytest.mark.parametrize(
    ("stored", "currency", "amount"),
    [
        ("1250", "JPY", "1250"),
        ("1250.00", "JPY", "1250"),
        ("1.25E+3", "JPY", "1250"),
        ("1.5", "KWD", "1.500"),
        ("1.234", "KWD", "1.234"),
        ("1.2345", "CLF", "1.2345"),
        ("0", "JPY", "0"),
    ],
)
def test_a_price_has_the_decimals_of_its_currency(stored: str, currency: str, amount: str) -> None:
    price = price_of({"price": Decimal128(stored), "currency": currency})

    assert (str(price.amount), price.currency) == (amount, currency)


@pytest.mark.parametrize(
    ("stored", "currency", "why"),
    [
        ("12.5", "JPY", "JPY, which has none"),
        ("0.1", "KRW", "KRW, which has none"),
        ("1.2345", "KWD", "KWD, which has 3"),
        ("0.00001", "CLF", "CLF, which has 4"),
    ],
)
def test_a_price_with_more_decimals_than_its_currency_is_told(
    stored: str, currency: str, why: str
) -> None:
    with pytest.raises(InvalidPrice, match=f"{stored} has more decimals than {why}"):
        price_of({"price": Decimal128(stored), "currency": currency})


@pytest.mark.parametrize(
    ("typed", "currency", "has_too_many"),
    [
        *(("12.50", "EUR", False), ("12.5", "EUR", False), ("1250", "EUR", False)),
        *(("1.000", "EUR", True), ("1250", "JPY", False), ("1250.00", "JPY", True)),
        *(("1.000", "KWD", False), ("1.0000", "KWD", True)),
    ],
)
def test_zeros_are_decimals_too(typed: str, currency: str, has_too_many: bool) -> None:
    assert has_too_many_decimals(typed, currency) is has_too_many
