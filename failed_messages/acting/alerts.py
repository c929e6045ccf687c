"""Alerts: a new cause, a cause that came back, or too many failures of one cause.

A group has at most one alert in `ALERT_WINDOW_MINUTES`. What comes within the window is in the next
alert.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.urls import get_script_prefix, reverse

from failed_messages.acting import alert_webhook
from failed_messages.records.collection import failed_messages, failure_groups
from messaging.isolation import isolated
from runtime.moment import for_programs
from runtime.mongodb_clock import mongodb_now
from runtime.signed_webhook import signed_headers

HEADLINES = {
    "new": "New failure in {service}",
    "regressed": "A failure of {service} came back, it was fixed in {fixed_in}",
    "burst": "{failures:,} failures of {service} in {minutes} minutes",
}

CANNOT_TELL = (
    "The alert about group %s cannot be written, so it is not sent; the others are. Its "
    "page in the admin shows what its document lacks."
)

Group = dict[str, Any]

log = logging.getLogger(__name__)


def send_alerts() -> int:
    """Send what is due; the scheduler runs this every 10 s.

    Returns: how many alerts went out.
    """
    if not is_set_up():
        return 0
    sent = 0
    for group, kind in _due():
        with isolated(log, CANNOT_TELL, group["_id"]):
            sent += _send(group, kind)
    return sent


def is_set_up() -> bool:
    """Whether anybody is told of anything."""
    return bool(settings.ALERT_WEBHOOK_URL or settings.ALERT_EMAILS)


def _due() -> Iterator[tuple[Group, str]]:
    now = mongodb_now()
    window = timedelta(minutes=settings.ALERT_WINDOW_MINUTES)
    in_window = {"$gt": now - window, "$lte": now + window}
    free = {"$or": [{"alerted_at": None}, {"alerted_at": {"$not": in_window}}]}
    # What waited while alerts were not set up is not news any more.
    lately = {"$gte": now - 2 * window}
    recent = {"$or": [{"archived_at": lately}, {"last_failed_at": lately}]}
    for group in failure_groups().find({"$and": [recent, {"alert": {"$nin": ["", None]}}, free]}):
        yield group, group["alert"]
    since = now - timedelta(minutes=settings.ALERT_BURST_MINUTES)
    for group in failure_groups().find({"last_failed_at": {"$gte": since}, "alert": "", **free}):
        if _failures_since(group, since) > settings.ALERT_BURST_FAILURES:
            yield group, "burst"


def _send(group: Group, kind: str) -> bool:
    """Of all schedulers one sends: the one that moves `alerted_at`."""
    alert = _alert(group, kind)
    claimed = failure_groups().update_one(
        {"_id": group["_id"], "alerted_at": group["alerted_at"]},
        {"$set": {"alerted_at": mongodb_now()}},
    )
    if not claimed.modified_count:
        return False
    if not deliver(alert, f"{kind}:{group['_id']}:{group['alerted_at']}"):
        # No one was told, so the next run tries again.
        failure_groups().update_one(
            {"_id": group["_id"]}, {"$set": {"alerted_at": group["alerted_at"]}}
        )
        return False
    failure_groups().update_one({"_id": group["_id"], "alert": kind}, {"$set": {"alert": ""}})
    return True


def _failures_since(group: Group, since: datetime) -> int:
    return failed_messages().count_documents(
        {"fingerprint": group["_id"], "last_failed_at": {"$gte": since}},
        limit=settings.ALERT_BURST_FAILURES * 10,
    )


def _alert(group: Group, kind: str) -> dict[str, Any]:
    minutes = settings.ALERT_BURST_MINUTES
    failures = _failures_since(group, mongodb_now() - timedelta(minutes=minutes))
    page = reverse("admin:failed_messages_failuregroup_change", args=[group["_id"]])
    return {
        "kind": kind,
        "headline": HEADLINES[kind].format(**group, failures=failures, minutes=minutes),
        "group": group["_id"],
        "service": group["service"],
        "exception": group["exception"] or group["reason"],
        "error": group["example"],
        "deaths": group["deaths"],
        "firstFailedAt": for_programs(group["first_failed_at"]),
        "lastFailedAt": for_programs(group["last_failed_at"]),
        "release": group["release"],
        "owner": group["owner"],
        "url": address_of(page),
    }


def address_of(page: str) -> str:
    """A page of the site as others reach it."""
    # The site's URL has the path before it, which a thread of its own may not know.
    return f"{settings.SITE_URL.rstrip('/')}/{page.removeprefix(get_script_prefix())}"


def deliver(alert: dict[str, Any], key: str) -> bool:
    """Whether one of the channels took it.

    Args:
        alert: has a `headline` and an `error`, in words.
        key: the same for every attempt to deliver it, and no other alert's.
    """
    channels: list[Callable[[dict[str, Any]], None]] = []
    if settings.ALERT_WEBHOOK_URL:
        channels.append(partial(_post, key))
    if settings.ALERT_EMAILS:
        channels.append(_mail)
    reached = [_reaches(channel, alert) for channel in channels]
    return any(reached)


def _reaches(channel: Any, alert: dict[str, Any]) -> bool:
    try:
        channel(alert)
    except Exception:
        log.exception(
            "The alert %r did not go out by %s. Fix ALERT_WEBHOOK_URL or EMAIL_HOST; "
            "it is tried again unless another channel worked",
            alert["headline"],
            "mail" if channel is _mail else "post",
        )
        return False
    return True


def _post(key: str, alert: dict[str, Any]) -> None:
    body, secrets = json.dumps(alert), settings.ALERT_WEBHOOK_SECRETS
    id_ = f"alert_{hashlib.sha256(key.encode()).hexdigest()[:32]}"
    signed = signed_headers(id_, datetime.now(UTC), body, secrets) if secrets else {}
    alert_webhook.post(settings.ALERT_WEBHOOK_URL, body.encode(), signed)


def _mail(alert: dict[str, Any]) -> None:
    lines = [line for name, value in alert.items() for line in _lines(name, value)]
    # A subject is one line; the error's text is untrusted.
    why = alert.get("exception") or alert["error"]
    subject = " ".join(f"{alert['headline']}: {why}".split())[:200]
    send_mail(subject, "\n".join(lines), None, settings.ALERT_EMAILS)


def _lines(name: str, value: Any) -> Iterator[str]:
    """What a mail says of a field: a list has a paragraph for each."""
    if isinstance(value, list):
        yield from (f"\n{name}: {' '.join(filter(None, each.values()))}" for each in value)
    elif name != "headline":
        yield f"{name}: {value}"
