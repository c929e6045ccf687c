"""Old orders lose their customer, where a setting says after how long."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from pymongo.errors import PyMongoError

from runtime.mongodb_clock import mongodb_now
from runtime.personal_data import Holding, holdings
from runtime.trouble import is_refused_by_mongodb

REFUSED = (
    "MongoDB does not let this process take the customer out of %s that are older than "
    "RETENTION_DAYS_ORDERS. Run manage.py personal_data forget as the operator, say once a month."
)

log = logging.getLogger(__name__)


def forget_customers() -> int:
    """Put a pseudonym into what is older than RETENTION_DAYS_ORDERS; the scheduler runs it hourly.

    Returns: how many documents it changed.
    """
    if not settings.RETENTION_DAYS_ORDERS:
        return 0
    before = mongodb_now() - timedelta(days=settings.RETENTION_DAYS_ORDERS)
    return sum(_forget(each, before) for each in holdings())


def _forget(holding: Holding, before: datetime) -> int:
    """What this process may not change keeps nothing else of anybody."""
    if holding.forget is None:
        return 0
    try:
        return holding.forget(before)
    except PyMongoError as error:
        if not is_refused_by_mongodb(error):
            raise
        log.warning(REFUSED, holding.name)
        return 0
