"""The scheduler's heartbeat in MongoDB, by MongoDB's clock.

It says that a scheduler runs and which of its jobs are late, to the health checks and the doctor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

EVERY_SECONDS = 5
#: A heartbeat that is older than this, or dated so far in the future, does not come from a running
#: scheduler.
LATE_SECONDS = 30

NAME = "scheduler"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The last one of any scheduler."""

    age_seconds: float
    #: The names of its jobs that were late.
    late: tuple[str, ...]

    @property
    def is_fresh(self) -> bool:
        """A clock of MongoDB that was set back dates the last one in the future."""
        return abs(self.age_seconds) <= LATE_SECONDS


def beat(late: Sequence[str] = ()) -> None:
    """Note that the scheduler runs.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    change = {"$set": {"late": list(late)}, "$currentDate": {"at": True}}
    heartbeats().update_one({"_id": NAME}, change, upsert=True)


def end() -> None:
    """The scheduler stops; where MongoDB is down its heartbeat grows old instead."""
    try:
        heartbeats().delete_one({"_id": NAME})
    except PyMongoError:
        return


def last() -> Heartbeat | None:
    """The last heartbeat; None where no scheduler has run, or the last one was stopped.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    age = {"$divide": [{"$subtract": ["$$NOW", "$at"]}, 1_000]}
    found = heartbeats().find_one({"_id": NAME}, {"late": True, "age_seconds": age})
    return Heartbeat(float(found["age_seconds"]), tuple(found["late"])) if found else None


def heartbeats() -> Collection[dict[str, Any]]:
    collection: Collection[dict[str, Any]] = connection.database["scheduler_heartbeat"]
    return collection
