"""The price as a person types it into the catalogue."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

#: What orders can charge and an invoice can hold. Python's own decimals take `-0`, `1e3`, `NaN`,
#: `1_000` and the digits of every script as well.
_PRICE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")
WRONG = "Type an amount from 0 to 999999999.99 in digits, with a point before the cents: 12.50."


class PriceField(forms.DecimalField):
    """An amount of money that is 0 or more, to the cent."""

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        if not _PRICE.fullmatch(str(value).strip()):
            raise ValidationError(WRONG, code="invalid")
        return super().to_python(value)
