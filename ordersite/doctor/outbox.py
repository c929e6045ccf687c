"""Do events leave the outbox?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from orders.outbox import oldest_pending_since
from ordersite import health
from ordersite.doctor.report import Finding, Severity

#: Longer than another relay takes to follow a killed one (orders.lease.LEASE_SECONDS).
OLD_SECONDS = 30


def relay() -> Iterator[Finding]:
    check = health.relay(health.mongodb())
    if not check.ok:
        yield Finding(
            Severity.ERROR,
            "Relay",
            check.detail,
            "Orders are taken and wait: neither inventory nor billing hears of them.",
            check.next_step,
        )


def age() -> Iterator[Finding]:
    since = oldest_pending_since()
    seconds = (datetime.now(UTC) - since).total_seconds() if since else 0.0
    if seconds > OLD_SECONDS:
        yield Finding(
            Severity.ERROR,
            "Outbox",
            f"Its oldest event has waited for {_duration(seconds)}, since {since:%F %T} UTC.",
            "Orders were taken that no service has heard of. Nothing is lost.",
            "python manage.py relay",
            "If a relay runs, its log says what it waits for.",
        )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
