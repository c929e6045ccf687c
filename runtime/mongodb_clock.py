"""The clock that all processes share: MongoDB's.

What one process dates and another one judges is dated and judged by it. Wall clocks differ between
hosts, and jump; within one process `time.monotonic` does neither.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import connection

#: Before anything that happened. A partial index on a date takes no `$exists`, so it is on these.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def mongodb_now() -> datetime:
    """The time at MongoDB's primary, for one round trip.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    now: datetime = connection.database.command("hello")["localTime"]
    return now.replace(tzinfo=UTC)


def not_between(earliest: datetime, latest: datetime) -> dict[str, Any]:
    """Finds dates that are older than a window, and those that no clock of today's could write.

    A clock that was ahead for a while must not make anything wait until the others are there.
    """
    return {"$not": {"$gte": earliest, "$lte": latest}}
