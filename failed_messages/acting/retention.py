"""Retention: deletes old resolved and discarded messages; the audit log keeps an entry.

A message that is not resolved or discarded is never deleted, nor is the original of an edited copy.
The hourly counts behind the charts go once no chart shows them.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from pymongo.client_session import ClientSession

from failed_messages.archiving.groups import hour_of
from failed_messages.reading.charts import SPANS
from failed_messages.reading.expiry import SETTLED_AT
from failed_messages.records import audit
from failed_messages.records.collection import failed_messages, failure_counts
from runtime.mongodb_clock import mongodb_now
from runtime.transactions import in_transaction

RETENTION = "retention"
MESSAGES_A_TRANSACTION = 100

#: What the audit log keeps of a deleted record.
TRACE = ("service", "message_id", "type", "order_id", "reason", "status", "exception", "message")


def delete_expired() -> int:
    """Delete what is settled for longer than its status is kept; the scheduler runs this hourly.

    Returns: how many records it deleted.
    """
    return sum(_delete_of(status, field) for status, field in SETTLED_AT.items())


def delete_old_counts() -> int:
    """Delete the hourly counts that are older than the longest chart; the groups keep their totals.

    Returns: how many hours of groups it deleted.
    """
    shown_since = hour_of(mongodb_now()) - timedelta(hours=max(SPANS))
    return failure_counts().delete_many({"hour": {"$lt": shown_since}}).deleted_count


def _delete_of(status: str, field: str) -> int:
    before = mongodb_now() - timedelta(days=settings.RETENTION_DAYS[status])
    expired = {field: {"$lt": before}, "status": status, "edited_as": []}
    deleted = 0
    while count := in_transaction(partial(_delete_some, expired)):
        deleted += count
    return deleted


def _delete_some(expired: dict[str, Any], session: ClientSession) -> int:
    fields = dict.fromkeys(TRACE, True)
    found = failed_messages().find(expired, fields, session=session).limit(MESSAGES_A_TRANSACTION)
    records = list(found)
    if not records:
        return 0
    ids = [record["_id"] for record in records]
    failed_messages().delete_many({"_id": {"$in": ids}}, session=session)
    none: dict[str, Any] = {}
    traces = [{name: record.get(name) for name in TRACE} for record in records]
    changes = [(id_, trace, none) for id_, trace in zip(ids, traces, strict=True)]
    audit.note_each(session, "delete", audit.MESSAGE, changes, by=RETENTION)
    return len(records)
