"""The clock that all processes share: MongoDB's.

What one process dates and another one judges is dated and judged by it. Wall clocks differ between
hosts, and jump; within one process `time.monotonic` does neither.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pymongo
from django.db import DatabaseError, connection
from pymongo.errors import PyMongoError

#: Before anything that happened. A partial index on a date takes no `$exists`, so it is on these.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


#: How long `about_now` goes on by itself, and waits for an answer.
ASKED_AGAIN_SECONDS = 60.0
ANSWER_SECONDS = 1.0


class Heard(NamedTuple):
    """What this process heard of that clock."""

    at: datetime
    #: When, on `time.monotonic`'s clock.
    on_clock: float


_heard: Heard | None = None
#: On `time.monotonic`'s clock; long ago for never.
_asked_at = float("-inf")


def mongodb_now() -> datetime:
    """The time at MongoDB's primary, for one round trip.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    return told(connection.database.command("hello"))


def told(hello: Mapping[str, Any]) -> datetime:
    """The time in MongoDB's answer to the command `hello`, from which `carried_on` goes on."""
    global _heard
    _heard = Heard(hello["localTime"].replace(tzinfo=UTC), time.monotonic())
    return _heard.at


def about_now() -> datetime:
    """The same where a moment more or less does not count: MongoDB is asked once a minute.

    Where it does not answer, it goes on from the last answer; this machine's clock counts where
    there was none yet.
    """
    global _asked_at
    if time.monotonic() - _asked_at >= ASKED_AGAIN_SECONDS:
        _asked_at = time.monotonic()
        with suppress(PyMongoError, DatabaseError), pymongo.timeout(ANSWER_SECONDS):
            return mongodb_now()
    return carried_on()


def carried_on() -> datetime:
    """The same without asking at all."""
    if _heard is None:
        return datetime.now(UTC)
    return _heard.at + timedelta(seconds=time.monotonic() - _heard.on_clock)


def not_between(earliest: datetime, latest: datetime) -> dict[str, Any]:
    """Finds dates that are older than a window, and those that no clock of today's could write.

    A clock that was ahead for a while must not make anything wait until the others are there.
    """
    return {"$not": {"$gte": earliest, "$lte": latest}}
