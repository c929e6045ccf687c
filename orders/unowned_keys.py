"""Idempotency keys of the release before, which belonged to the order's user and to no caller.

A request that was sent before the upgrade may be repeated after it. For as long as such a key
lives, a keyed request costs one more query; never where the database is new.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from bson import ObjectId
from django.conf import settings

from orders.collection import orders
from runtime.mongodb_clock import mongodb_now

#: Applied by the upgrade.
MIGRATION = {"app": "orders", "name": "0007_keys_have_owners"}
#: Processes of the release before may go on beside this one for so long.
ROLLING_UPGRADE = timedelta(hours=1)

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
#: On `time.monotonic`'s clock: from when on none is found; None before this process has asked.
_gone_at: float | None = None


def may_exist() -> bool:
    """Whether one may still be found; asks MongoDB the first time."""
    global _gone_at
    if _gone_at is None and (last := end()) is not None:
        # Keys are forgotten by MongoDB's clock, and where this machine's is ahead they are not yet.
        _gone_at = time.monotonic() + (last - mongodb_now()).total_seconds()
    return not are_gone()


def are_gone() -> bool:
    """Whether it is known that none is left; without a query."""
    return _gone_at is not None and time.monotonic() >= _gone_at


def end() -> datetime | None:
    """When the last of them is forgotten; None: not migrated yet."""
    applied = orders().database["django_migrations"].find_one(MIGRATION)
    if applied is None:
        return None
    upgraded_at = applied["applied"].replace(tzinfo=UTC)
    before = {"_id": {"$lt": ObjectId.from_datetime(upgraded_at)}}
    if orders().find_one(before, {"_id": 1}) is None:
        return NEVER
    return upgraded_at + timedelta(hours=settings.IDEMPOTENCY_KEY_HOURS) + ROLLING_UPGRADE
