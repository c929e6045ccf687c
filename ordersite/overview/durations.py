"""How long something takes or is ago, for people."""

from __future__ import annotations

from datetime import datetime

MINUTE, HOUR, DAY = 60, 3_600, 86_400


def age(seconds: float) -> str:
    """`8 s`, `12 min`, `3 h 20 min`, `4 days`."""
    whole = round(max(0.0, seconds))
    if whole < 2 * MINUTE:
        return f"{whole} s"
    if whole < 2 * HOUR:
        return f"{whole // MINUTE} min"
    if whole < 2 * DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
    return f"{whole // DAY} days"


def seconds_since(since: datetime, now: datetime) -> float:
    """How long ago that is; 0 where a clock has it in the future."""
    return max(0.0, (now - since).total_seconds())
