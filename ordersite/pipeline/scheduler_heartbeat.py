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
    #: For how long the scheduler has run; 0 where it is of a release that did not say.
    running_seconds: float = 0.0

    @property
    def is_fresh(self) -> bool:
        """A clock of MongoDB that was set back dates the last one in the future."""
        return abs(self.age_seconds) <= LATE_SECONDS


def beat(late: Sequence[str] = (), running_seconds: float = 0.0) -> None:
    """Note that the scheduler runs, for so long.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    change = {
        "$set": {"late": list(late), "running_seconds": running_seconds},
        "$currentDate": {"at": True},
    }
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
    wanted = {"late": True, "running_seconds": True, "age_seconds": age}
    found = heartbeats().find_one({"_id": NAME}, wanted)
    if not found:
        return None
    running = found.get("running_seconds", 0.0)
    return Heartbeat(float(found["age_seconds"]), tuple(found["late"]), running)


def heartbeats() -> Collection[dict[str, Any]]:
    collection: Collection[dict[str, Any]] = connection.database["scheduler_heartbeat"]
    return collection
