"""The page of one failed message, the most important first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.urls import NoReverseMatch, reverse

from failed_messages.archiving import certificate
from failed_messages.models import FailedMessage, reason_label
from failed_messages.reading.act_result import record_id
from failed_messages.reading.body_tree import tree
from failed_messages.reading.expiry import expires_at
from failed_messages.reading.headline import headline, span
from failed_messages.reading.next_step import (
    consequence,
    fails_again,
    fault_behind,
    is_simulated,
    next_step,
    replay_safe,
    warns,
)
from failed_messages.reading.representation import deaths
from failed_messages.records.order_facts import OrderFacts, order_facts, value
from failed_messages.records.permissions import VIEW, may
from messaging.certificate import Attempt, Certificate, Original
from messaging.storable import whole_text
from runtime.moment import exact
from runtime.mongodb_clock import about_now
from runtime.tracing.link import trace_link

RAW_LIMIT_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class Death:
    """One certificate, as the page shows it."""

    certificate: Certificate
    at: datetime
    reason: str
    #: Newest first.
    attempts: list[Attempt]
    original: str


def context(record: FailedMessage) -> dict[str, Any]:
    """The template's variables. Every text in them is untrusted: the template escapes it."""
    certificates = deaths(record)
    order = order_facts([record.order_id]).get(record.order_id)
    return {
        "record": record,
        "headline": headline(record, certificates[0]),
        "consequence": consequence(record, order),
        "next_step": next_step(record),
        "replay_safe": replay_safe(record),
        "order": order,
        "order_value": value([order]) if order else "",
        "countdown": countdown(record),
        "order_url": order_url(record.order_id, order),
        "fault_url": faults_url(record),
        "fault_label": fault_label(record),
        "fails_again": fails_again(record.reason),
        "warns": warns(record.reason),
        "deaths": [_death(each) for each in certificates],
        "tree": tree(bytes(record.body)),
        "raw": whole_text(record.body[:RAW_LIMIT_CHARS]),
        "raw_is_cut": record.body_bytes > RAW_LIMIT_CHARS,
        "properties": _properties(record, certificates[0]),
        "headers": [(name, _readable(value)) for name, value in _headers(record)],
        "x_death": _x_death(record),
        "trace": trace_link(json.loads(record.headers)),
        "history": list(reversed(record.history)),
    }


def record_for(request: HttpRequest, object_id: str) -> FailedMessage:
    """The record that this user asks for. Raises PermissionDenied, or Http404 without one."""
    if not may(request.user, VIEW):
        raise PermissionDenied
    found = FailedMessage.objects.filter(pk=object_id) if ObjectId.is_valid(object_id) else None
    record = found.first() if found is not None else None
    if record is None:
        raise Http404("there is no such failed message")
    return record


def page_after(ids: list[str]) -> str:
    """Where to go once something was done to these: the page of one, else the list."""
    if len(ids) == 1 and record_id(ids[0]):
        return reverse("admin:failed_messages_failedmessage_change", args=ids)
    return reverse("admin:failed_messages_failedmessage_changelist")


def countdown(record: FailedMessage) -> str:
    """When retention will delete the record; empty where it is kept."""
    at = expires_at(record)
    if at is None:
        return "It is kept for ever: its edited copy refers to it." if record.edited_as else ""
    left = max(at - about_now(), timedelta(0))
    return f"Deleted in {span(left)}; the audit log keeps its trace."


def _death(death: Certificate) -> Death:
    return Death(
        certificate=death,
        at=certificate.died_at(death),
        reason=reason_label(death.reason),
        attempts=list(reversed(death.attempts)),
        original=_original(death.original),
    )


def _original(original: Original | None) -> str:
    if original is None:
        return ""
    return _readable(
        {
            "exchange": original.exchange,
            "routing_key": original.routing_key,
            "redelivered": original.redelivered,
            "properties": _with_moment(original.properties),
            "headers": original.headers,
        }
    )


def _headers(record: FailedMessage) -> list[tuple[str, Any]]:
    return sorted(item for item in json.loads(record.headers).items() if item[0] != "x-death")


def _x_death(record: FailedMessage) -> list[dict[str, Any]]:
    """RabbitMQ's own notes, one for each queue that the message died in, newest first."""
    entries = json.loads(record.headers).get("x-death")
    if not isinstance(entries, list):
        return []
    return [
        {**entry, "routing_keys": entry.get("routing-keys")}
        for entry in entries
        if isinstance(entry, dict)
    ]


def _readable(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _properties(record: FailedMessage, latest: Certificate) -> list[tuple[str, Any]]:
    """Those that the publisher did not send are marked as ours, where the certificate says so."""
    sent = latest.original.properties if latest.original else None
    return sorted(
        (name if sent is None or name in sent else f"{name} (ours)", value)
        for name, value in _with_moment(json.loads(record.properties)).items()
    )


def _with_moment(properties: dict[str, Any]) -> dict[str, Any]:
    """The properties with the time of publishing as other times: AMQP has seconds since 1970."""
    at = properties.get("timestamp")
    if type(at) is not int:
        return properties
    try:
        return {**properties, "timestamp": exact(datetime.fromtimestamp(at, UTC))}
    except (OverflowError, ValueError, OSError):  # a foreign publisher's, in no year
        return properties


def fault_label(record: FailedMessage) -> str:
    """What `faults_url` leads to."""
    return "The simulated fault" if fault_behind(record) else "Simulated faults"


def faults_url(record: FailedMessage) -> str:
    """The simulated fault that is the cause; the list of them where it is gone since."""
    if fault := fault_behind(record):
        return fault.url
    if not is_simulated(record):
        return ""
    try:
        return reverse("admin:simulated_faults_simulatedfault_changelist")
    except NoReverseMatch:
        return ""


def order_url(order_id: str, order: OrderFacts | None) -> str:
    """The order's page in the admin; empty where there is no such order, or no such page."""
    if order is None:
        return ""
    try:
        return reverse("admin:orders_order_change", args=[order_id])
    except NoReverseMatch:
        return ""
