"""Who did something last, by the audit log: for the second of two operators."""

from __future__ import annotations

from typing import Any

from failed_messages.models import AuditEntry
from runtime.moment import exact

#: Of a subject's entries, the newest that are searched.
ENTRIES_READ = 20


def last_act(subject_id: Any, field: str = "") -> str:
    """`triage by anna, 2026-11-28 19:00:12 UTC`: the last act, or the last one on a field."""
    for entry in AuditEntry.objects.filter(subject_id=str(subject_id))[:ENTRIES_READ]:
        if not field or f'"{field}":' in entry.after:
            return f"{entry.act} by {entry.by}, {exact(entry.at)}"
    return ""
