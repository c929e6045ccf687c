"""How a moment is written, everywhere: in UTC, and saying so. One without a zone is in UTC.

For people `2026-01-31 12:00:00 UTC`, as `ordersite/formats` says it for templates; for programs
RFC 3339, `2026-01-31T12:00:00.000Z`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

#: What `for_programs` writes.
Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]

#: What a browser's field for a moment takes.
#: https://html.spec.whatwg.org/multipage/common-microsyntaxes.html#local-dates-and-times
FIELD_FORMAT = "%Y-%m-%dT%H:%M"

#: As RFC 3339 has it, with a zone or without.
_RFC3339 = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")


def exact(at: datetime) -> str:
    """`2026-01-31 12:00:00 UTC`."""
    return f"{_utc(at):%Y-%m-%d %H:%M:%S} UTC"


def to_the_millisecond(at: datetime) -> str:
    """`2026-01-31 12:00:00.123 UTC`, where several happen in one second."""
    return f"{_utc(at).replace(tzinfo=None).isoformat(' ', 'milliseconds')} UTC"


def for_programs(at: datetime) -> str:
    """`2026-01-31T12:00:00.123Z`."""
    return f"{_utc(at).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def or_null(at: datetime | None) -> str | None:
    """As `for_programs`; JSON's null where there is none."""
    return for_programs(at) if at else None


def for_people(text: str) -> str:
    """The text with each moment in it as `exact` writes it; what is none stays as it is."""
    return _RFC3339.sub(_exact_of, text)


def _exact_of(found: re.Match[str]) -> str:
    try:
        return exact(datetime.fromisoformat(found[0]))
    except (ValueError, OverflowError):  # a forger's
        return found[0]


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC) if at.tzinfo else at
