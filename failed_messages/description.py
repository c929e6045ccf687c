"""A failed message as JSON, for scripts."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from failed_messages import certificate
from failed_messages.models import Act, FailedMessage
from messaging.certificate import Certificate

#: What `summary` needs: never the body, the headers or the certificates.
SUMMARY_FIELDS = (
    "service",
    "message_id",
    "type",
    "order_id",
    "user_id",
    "reason",
    "exception",
    "message",
    "attempts",
    "status",
    "first_failed_at",
    "last_failed_at",
)


def summary(record: FailedMessage) -> dict[str, Any]:
    """What a list shows of a record."""
    return {
        "id": str(record.pk),
        "service": record.service,
        "type": record.type,
        "orderId": record.order_id,
        "userId": record.user_id,
        "messageId": record.message_id,
        "reason": record.reason,
        "exception": record.exception,
        "message": record.message,
        "attempts": record.attempts,
        "status": record.status,
        "firstFailedAt": _rfc3339(record.first_failed_at),
        "lastFailedAt": _rfc3339(record.last_failed_at),
    }


def full(record: FailedMessage) -> dict[str, Any]:
    """Everything there is; the body as text, certificates newest first."""
    return {
        **summary(record),
        "body": bytes(record.body).decode("utf-8", "backslashreplace"),
        "bodyBytes": record.body_bytes,
        "bodyCut": record.body_cut,
        "contentType": record.content_type,
        "correlationId": record.correlation_id,
        "properties": json.loads(record.properties),
        "headers": json.loads(record.headers),
        "certificates": [json.loads(text) for text in reversed(record.certificates)],
        "replay": record.replay
        and {
            "id": record.replay.pk,
            "by": record.replay.by,
            "at": _rfc3339(record.replay.at),
            "publishedAt": _rfc3339(record.replay.published_at),
        },
        "resolvedAt": _rfc3339(record.resolved_at),
        "resolvedBy": record.resolved_by,
        "discardedAt": _rfc3339(record.discarded_at),
        "discardedBy": record.discarded_by,
        "discardReason": record.discard_reason,
        "history": [_line(act) for act in record.history],
    }


def deaths(record: FailedMessage) -> list[Certificate]:
    """The record's death certificates, newest first."""
    return [certificate.decode(text) for text in reversed(record.certificates)]


def _line(act: Act) -> dict[str, Any]:
    return {
        "at": _rfc3339(act.at),
        "by": act.by,
        "act": act.act,
        "reason": act.reason,
        "detail": act.detail,
    }


def _rfc3339(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None
