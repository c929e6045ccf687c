"""Until when a settled record is kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from failed_messages.models import FailedMessage, Status

#: The field that says since when a record is settled, by its status.
SETTLED_AT = {str(Status.RESOLVED): "resolved_at", str(Status.DISCARDED): "discarded_at"}


def expires_at(record: FailedMessage) -> datetime | None:
    """When the record will be deleted; None for one that is kept."""
    field = SETTLED_AT.get(record.status)
    since = getattr(record, field) if field else None
    if since is None or record.edited_as:
        return None
    return since + timedelta(days=settings.RETENTION_DAYS[record.status])
