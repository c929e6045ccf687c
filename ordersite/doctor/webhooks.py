"""Are webhooks sent?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings

from ordersite.doctor.report import Finding, Severity
from runtime.mongodb_clock import EPOCH, mongodb_now
from webhooks.store import endpoints

#: Longer than a turn of all others takes, and a killed deliverer's lease.
LATE = timedelta(minutes=2)


def deliverer() -> Iterator[Finding]:
    """Some deliverer claims each endpoint when it has something to get."""
    if not settings.WEBHOOKS:
        return
    late = {"$gt": EPOCH, "$lt": mongodb_now() - LATE}
    waiting = endpoints().count_documents({"state": "enabled", "next_at": late})
    if waiting:
        minutes = LATE // timedelta(minutes=1)
        yield Finding(
            Severity.ERROR,
            "Deliverer",
            f"{waiting} webhook endpoints have waited more than {minutes} min for what is theirs.",
            "Customers are not told of events. Nothing is lost.",
            "python manage.py deliverer",
            "If a deliverer runs, its log says what it waits for; or start more of them.",
        )
