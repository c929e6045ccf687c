"""Old orders lose their customer, where a setting says after how long."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from runtime.mongodb_clock import mongodb_now
from runtime.personal_data import holdings


def forget_customers() -> int:
    """Put a pseudonym into what is older than RETENTION_DAYS_ORDERS; the scheduler runs it hourly.

    Returns: how many documents it changed.
    """
    if not settings.RETENTION_DAYS_ORDERS:
        return 0
    before = mongodb_now() - timedelta(days=settings.RETENTION_DAYS_ORDERS)
    return sum(each.forget(before) for each in holdings() if each.forget is not None)
