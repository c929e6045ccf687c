"""What past migrations import; it stays as it is."""

from __future__ import annotations

from django.conf import settings


def shop_currency() -> str:
    """ISO 4217 code of the currency of a product that is added without one."""
    return settings.CURRENCY
