"""How many units, as a person types it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from runtime.requests.number import whole_number


class UnitsField(forms.IntegerField):
    """Digits alone: Django's own takes `1.000`, which is a thousand in German, for one."""

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        text = str(value).strip()
        try:
            return whole_number(text, least=0)
        except ValueError as error:
            said = "Type a whole number in digits, without a point or a comma: 1000."
            raise ValidationError(said, code="invalid") from error
