"""Retention: deletes what was settled long ago."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from runtime.mongodb_clock import mongodb_now
from webhooks.store import deliveries, endpoints, noted_orders


def delete_old() -> int:
    """Delete settled deliveries and notes of orders after RETENTION_DAYS_WEBHOOKS; the scheduler
    runs this hourly.

    Returns: how many deliveries it deleted.
    """
    now = mongodb_now()
    fail_stranded(now)
    before = now - timedelta(days=settings.RETENTION_DAYS_WEBHOOKS)
    noted_orders().delete_many({"at": {"$lt": before}})
    # What is so late belongs to an endpoint that was deleted while the event came.
    late = {"state": "pending", "due_at": {"$lt": before}}
    old = {"$or": [{"settled_at": {"$lt": before}}, late]}
    return deliveries().delete_many(old).deleted_count


def fail_stranded(now: datetime) -> None:
    """What was noted for an endpoint at the moment when it was disabled is not sent either."""
    disabled = [each["_id"] for each in endpoints().find({"state": "disabled"}, {})]
    stranded = {"endpoint": {"$in": disabled}, "state": "pending"}
    deliveries().update_many(stranded, {"$set": {"state": "failed", "settled_at": now}})
