"""Do the clocks agree?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db import connection

from ordersite.broker import management_api
from ordersite.doctor.report import Finding, Severity

#: RabbitMQ tells whole seconds.
TOLERATED = timedelta(seconds=2)


def of_mongodb() -> Iterator[Finding]:
    asked_at = datetime.now(UTC)
    theirs = connection.database.client.admin.command("hello")["localTime"]
    yield from compared("MongoDB", asked_at, theirs.replace(tzinfo=UTC), datetime.now(UTC))


def of_rabbitmq() -> Iterator[Finding]:
    asked_at = datetime.now(UTC)
    theirs = management_api.get("queues").at
    yield from compared("RabbitMQ", asked_at, theirs, datetime.now(UTC))


def compared(
    server: str, asked_at: datetime, theirs: datetime, answered_at: datetime
) -> Iterator[Finding]:
    """The server read its clock at some time between our two readings of ours."""
    ahead = max(theirs - answered_at, timedelta())
    behind = max(asked_at - theirs, timedelta())
    skew = max(ahead, behind)
    if skew > TOLERATED:
        yield Finding(
            Severity.WARNING,
            f"Clock of {server}",
            f"It is {skew.total_seconds():.0f} s {'ahead of' if ahead else 'behind'} this host's.",
            "Timelines show events in the wrong order, and what waits is judged too early or "
            "too late.",
            "sudo timedatectl set-ntp true",
            f"On this host and on {server}'s.",
        )
