"""Are events published from the outbox?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from messaging.outboxes import outboxes
from ordersite.doctor.report import Finding, Severity
from ordersite.pipeline import health
from runtime.mongodb_clock import mongodb_now

#: Longer than another relay takes to follow a killed one (runtime.lease.LEASE_SECONDS).
OLD_SECONDS = 30

HANGS = "A relay runs; its log says what it waits for. If nothing here is the cause, end it first."


def relay() -> Iterator[Finding]:
    check = health.relay(health.mongodb())
    if not check.ok:
        yield Finding(
            Severity.ERROR,
            "Relay",
            check.detail,
            "Orders are accepted and wait: no service gets them.",
            check.next_step,
        )


def waiting_events() -> Iterator[Finding]:
    for each in outboxes():
        if waited := _too_long(each.oldest_pending_since()):
            yield _of_relay(waited) if each.published_by == "relay" else _of(each.service, waited)


def _of_relay(waited: str) -> Finding:
    return Finding(
        Severity.ERROR,
        "Outbox",
        f"Its oldest event has waited {waited}.",
        "Orders were accepted that no service has got yet. Nothing is lost.",
        "python manage.py relay",
        HANGS if health.relay(health.mongodb()).ok else "",
    )


def _of(service: str, waited: str) -> Finding:
    return Finding(
        Severity.ERROR,
        f"Outbox of {service}",
        f"Its oldest event has waited {waited}.",
        f"Orders do not get to know what happened in {service}. Nothing is lost.",
        "python manage.py scheduler",
        "If a scheduler runs, its log says what it waits for.",
    )


def scheduler() -> Iterator[Finding]:
    check = health.scheduler(health.mongodb())
    if not check.ok:
        yield Finding(
            Severity.ERROR,
            "Scheduler",
            check.detail,
            "Bulk replays, alerts, services' outboxes, the reconciler and retention do not run.",
            check.next_step,
        )


def _too_long(since: datetime | None) -> str:
    """For how long, in words; empty if that is nothing to speak of."""
    seconds = (mongodb_now() - since).total_seconds() if since else 0.0
    if seconds <= OLD_SECONDS:
        return ""
    return f"for {_duration(seconds)}, since {since:%F %T} UTC"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
