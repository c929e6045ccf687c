"""A failed message in one line, for the operator on call."""

from __future__ import annotations

from datetime import datetime, timedelta

from failed_messages.archiving import certificate
from failed_messages.models import FailedMessage, reason_label
from messaging.certificate import Certificate


def headline(record: FailedMessage, death: Certificate) -> str:
    """`Billing gave up after 4 attempts in 3 min: card service timed out`."""
    error = death.message or reason_label(record.reason)
    return f"{_what_it_did(record.service.capitalize(), death)}: {error}"


def headline_of(record: FailedMessage) -> str:
    """The headline of the record's latest death."""
    return headline(record, certificate.decode(record.certificates[-1]))


def _what_it_did(service: str, death: Certificate) -> str:
    count = len(death.attempts)
    if death.reason == "returned":
        return f"RabbitMQ gave up on {service.lower()}"
    if death.kills:
        return f"{service} gave it up"
    if count == 0:
        return f"{service} refused it"
    if count == 1:
        return f"{service} gave up at the first attempt"
    return f"{service} gave up after {count} attempts{_within(death)}"


def _within(death: Certificate) -> str:
    try:
        first, last = (datetime.fromisoformat(death.attempts[index].at) for index in (0, -1))
        return f" in {span(last - first)}"
    except (ValueError, TypeError):  # a forger's dates
        return ""


def span(duration: timedelta) -> str:
    """`0.4 s`, `35 s`, `3 min`, `2 h`, `4 days`."""
    seconds = duration.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    for limit, size, unit in ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h")):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"
