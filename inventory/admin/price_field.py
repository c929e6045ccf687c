"""The price as a person types it into the catalogue: an amount, and its currency."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from runtime.money import currencies
from runtime.money.price import has_too_many_decimals, told_decimals

#: What orders can charge and an invoice can hold. Python's own decimals take `-0`, `1e3`, `NaN`,
#: `1_000` and the digits of every script as well.
_PRICE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?")
WRONG = (
    "Type an amount from 0 to 999999999.99 in digits, with a point before the decimals: 12.50, or "
    "1250 in JPY."
)


class PriceField(forms.DecimalField):
    """An amount of money that is 0 or more; `check_price` compares it with its currency."""

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        if not _PRICE.fullmatch(str(value).strip()):
            raise ValidationError(WRONG, code="invalid")
        return super().to_python(value)


class CurrencyField(forms.CharField):
    """The code of a currency; where none is typed, the one that is there stays."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "required": False})

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data) and super().has_changed(initial, data)

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and value not in currencies.DECIMALS:
            raise ValidationError(f"The currency {currencies.WRONG}: EUR, USD, JPY.")


def check_price(amount: Decimal, currency: str) -> None:
    """Raises ValidationError: the currency has fewer decimals than the amount."""
    if has_too_many_decimals(f"{amount:f}", currency):
        raise ValidationError(
            f"It must have no more decimals than {told_decimals(currency)}: type it like "
            f"{currencies.example(currency)}."
        )
