"""Are webhooks sent?"""

from __future__ import annotations

from collections.abc import Iterator

from ordersite.doctor.report import Finding, Severity
from ordersite.pipeline import health


def deliverer() -> Iterator[Finding]:
    for check in health.deliverer(health.mongodb()):
        if not check.ok:
            yield Finding(
                Severity.ERROR,
                "Deliverer",
                check.detail,
                "Customers are not told of events. Nothing is lost.",
                check.next_step,
                "If a deliverer runs, its log says what it waits for; or start more of them.",
            )
