"""A failed message as JSON, for scripts."""

from __future__ import annotations

import json

from failed_messages.archiving import certificate
from failed_messages.models import (
    Act,
    FailedMessage,
    FailureGroup,
    PartState,
    PendingAct,
    Replay,
    ReplayJob,
    ReplayPolicy,
)
from failed_messages.reading import answers
from failed_messages.reading.act_result import Verdict
from failed_messages.reading.expiry import expires_at
from failed_messages.reading.group_figures import Figures
from messaging.certificate import Certificate
from messaging.storable import whole_text
from runtime.moment import or_null

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
    "fingerprint",
    "status",
    "first_failed_at",
    "last_failed_at",
)


def summary(record: FailedMessage) -> answers.FailedMessage:
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
        "group": record.fingerprint,
        "status": record.status,
        "firstFailedAt": or_null(record.first_failed_at),
        "lastFailedAt": or_null(record.last_failed_at),
    }


def full(record: FailedMessage) -> answers.FailedMessageDetails:
    """Everything there is; the body as text, certificates newest first."""
    return {
        **summary(record),
        "body": whole_text(record.body),
        "bodyBytes": record.body_bytes,
        "bodyCut": record.body_cut,
        "contentType": record.content_type,
        "correlationId": record.correlation_id,
        "properties": json.loads(record.properties),
        "headers": json.loads(record.headers),
        "certificates": [json.loads(text) for text in reversed(record.certificates)],
        "replay": _replay(record.replay),
        "resolvedAt": or_null(record.resolved_at),
        "resolvedBy": record.resolved_by,
        "discardedAt": or_null(record.discarded_at),
        "discardedBy": record.discarded_by,
        "discardReason": record.discard_reason,
        "parent": str(record.parent) if record.parent else None,
        "editedAs": [str(id_) for id_ in record.edited_as],
        "expiresAt": or_null(expires_at(record)),
        "history": [_line(act) for act in record.history],
    }


def group_json(group: FailureGroup, known: Figures) -> answers.FailureGroup:
    """A failure group with its figures."""
    return {
        "fingerprint": group.pk,
        "service": group.service,
        "exception": group.exception,
        "reason": group.reason,
        "frame": group.frame,
        "pattern": group.pattern,
        "example": group.example,
        "release": group.release,
        "failedNow": known.messages,
        "deaths": group.deaths,
        "orders": known.orders,
        "ordersAreAtLeast": known.at_least,
        "value": known.value,
        "deathsByHour": known.trend,
        "firstFailedAt": or_null(group.first_failed_at),
        "lastFailedAt": or_null(group.last_failed_at),
        "status": group.status,
        "fixedIn": group.fixed_in,
        "regressedAt": or_null(group.regressed_at),
        "owner": group.owner,
        "note": group.note,
        "link": group.link,
    }


def job_json(job: ReplayJob) -> answers.BulkReplay:
    """A bulk replay, as far as it is."""
    return {
        "id": str(job.pk),
        "by": job.by,
        "at": or_null(job.at),
        "reason": job.reason,
        "filter": job.selection,
        "ratePerSecond": job.rate,
        "state": job.state,
        "why": job.why,
        "finishedAt": or_null(job.finished_at),
        "messages": {state: getattr(job, state) for state in PartState.values},
    }


def policy_json(policy: ReplayPolicy) -> answers.ReplayPolicy:
    """A policy of scheduled replay."""
    return {
        "scope": policy.pk,
        "service": policy.service,
        "group": policy.group,
        "reason": policy.reason,
        "afterSeconds": policy.delays_seconds,
        "enabled": policy.enabled,
        "by": policy.by,
        "at": or_null(policy.at),
    }


def verdict_json(verdict: Verdict) -> answers.Verdict:
    """What became of one message that was acted on."""
    return {"id": verdict.id, "done": verdict.done, "detail": verdict.detail}


def deaths(record: FailedMessage) -> list[Certificate]:
    """The record's death certificates, newest first."""
    return [certificate.decode(text) for text in reversed(record.certificates)]


def _replay(replay: Replay | None) -> answers.LatestReplay | None:
    if replay is None:
        return None
    return {
        "id": replay.pk,
        "by": replay.by,
        "at": or_null(replay.at),
        "publishedAt": or_null(replay.published_at),
    }


def _line(act: Act) -> answers.HistoryLine:
    return {
        "at": or_null(act.at),
        "by": act.by,
        "act": act.act,
        "reason": act.reason,
        "detail": act.detail,
    }


def pending_json(act: PendingAct) -> answers.PendingAct:
    """An act that waits for a second person, or has been decided."""
    return {
        "id": str(act.pk),
        "act": act.act,
        "messages": act.messages,
        "by": act.by,
        "at": or_null(act.at),
        "reason": act.reason,
        "arguments": json.loads(act.arguments),
        "state": act.state,
        "decidedBy": act.decided_by,
        "outcome": act.outcome,
    }
