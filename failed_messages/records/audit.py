"""Adds to the audit log, in the transaction of the act itself: no act without its entry."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from failed_messages.models import AuditEntry, Subject
from failed_messages.records.history import NAME_LIMIT_CHARS, REASON_LIMIT_CHARS
from messaging.storable import plain, text

MESSAGE = str(Subject.MESSAGE)
GROUP = str(Subject.GROUP)
JOB = str(Subject.JOB)
POLICY = str(Subject.POLICY)
RESTORE = str(Subject.RESTORE)
REQUEST = str(Subject.REQUEST)
PENDING = str(Subject.PENDING)
PERSON = str(Subject.PERSON)
KEY = str(Subject.KEY)
RETRY = str(Subject.RETRY)
DISCARD_JOB = str(Subject.DISCARD_JOB)
USER = str(Subject.USER)
ROLE = str(Subject.ROLE)
ORDER = str(Subject.ORDER)

#: What the field holds.
SUBJECT_ID_CHARS = 100

log = logging.getLogger(__name__)


#: The subject's id, what it was before, and what it is after.
Change = tuple[object, Mapping[str, Any], Mapping[str, Any]]


def note(
    session: ClientSession,
    act: str,
    subject: str,
    subject_id: object,
    *,
    by: str,
    reason: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add one entry; it is there if and only if the session's transaction commits."""
    changes = [(subject_id, before or {}, after or {})]
    note_each(session, act, subject, changes, by=by, reason=reason)


def note_each(
    session: ClientSession,
    act: str,
    subject: str,
    changes: Sequence[Change],
    *,
    by: str,
    reason: str = "",
) -> None:
    """Add one entry for each of several subjects of one act."""
    common = {
        "at": datetime.now(UTC),
        "by": text(by, NAME_LIMIT_CHARS),
        "act": act,
        "subject": subject,
        "reason": text(reason, REASON_LIMIT_CHARS),
    }
    entries = [
        {**common, "subject_id": str(id_), "before": _json(before), "after": _json(after)}
        for id_, before, after in changes
    ]
    connection.database[AuditEntry._meta.db_table].insert_many(entries, session=session)


def note_denied(request: str, *, by: str) -> None:
    """Add that somebody asked for what they may not do; their answer does not wait for MongoDB."""
    subject_id = text(request, SUBJECT_ID_CHARS)
    try:
        with connection.database.client.start_session() as session:
            note(session, "denied", REQUEST, subject_id, by=by)
    except PyMongoError as error:
        log.error("The audit log has no entry of a denied request of %s: %s", by, error)


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(plain(dict(value)), ensure_ascii=False)
