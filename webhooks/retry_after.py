"""When a receiver that has too much to do, or is down, wants to be asked again.

https://www.rfc-editor.org/rfc/rfc9110.html#name-retry-after
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: Nobody can have us wait for longer.
MOST_WAIT = timedelta(days=1)


def moment_of(field: str | None, now: datetime) -> datetime | None:
    """The moment that the field names, a day after `now` at most.

    Args:
        field: seconds or a date, as the receiver wrote it; None where it did not.

    Returns: None where the field names no moment, or one that has passed.
    """
    wait = _wait(field.strip(), now) if field else None
    if wait is None or wait <= timedelta():
        return None
    return now + min(wait, MOST_WAIT)


def _wait(text: str, now: datetime) -> timedelta | None:
    if text.isascii() and text.isdigit():
        return _seconds(text)
    try:
        at = parsedate_to_datetime(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError):
        return None


def _seconds(digits: str) -> timedelta:
    most = int(MOST_WAIT.total_seconds())
    # More digits than that are more than a day, and too many for int().
    is_long = len(digits.lstrip("0")) > len(str(most))
    return MOST_WAIT if is_long else timedelta(seconds=int(digits.lstrip("0") or "0"))
