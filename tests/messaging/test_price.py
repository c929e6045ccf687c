"""Which documents of the catalogue an order can be charged by. In memory."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from bson import Decimal128

from messaging.price import InvalidPrice, price_of


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
        (Decimal128("0.001"), "more than two decimal places"),
    ],
)
def test_a_price_that_nobody_can_be_charged_is_told(price: Any, why: str) -> None:
    with pytest.raises(InvalidPrice, match=why):
        price_of({"price": price, "currency": "EUR"})


@pytest.mark.parametrize("currency", [None, "", "eur", "EURO", "€", 978, ["EUR"]])
def test_a_currency_that_is_none_is_told(currency: Any) -> None:
    with pytest.raises(InvalidPrice, match="currency"):
        price_of({"price": Decimal128(Decimal(1)), "currency": currency})
