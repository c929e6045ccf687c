"""Time as MongoDB stores it: without what is shorter than a millisecond."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now_in_milliseconds() -> datetime:
    """Now in UTC, so exactly that what is stored reads back the same."""
    return datetime.fromtimestamp(time.time_ns() // 1_000_000 / 1_000, UTC)
