"""Which processes there are: each writes into MongoDB that it lives, what it does, and did last.

`heartbeat_file` is for a probe beside the process; this is for the operators. A thread of its own
writes, and says when the process's main loop last did something, so one that hangs is told from one
that works. What cannot be written costs the process nothing.
"""

from __future__ import annotations

import atexit
import logging
import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from threading import Event, Thread
from typing import Any, TypeVar

import pymongo
from bson import ObjectId
from django.conf import settings
from django.db import connection
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.write_concern import WriteConcern

from runtime import heartbeat_file
from runtime.stored_documents import AWARE
from runtime.trouble import UNAUTHORIZED, Reported, in_words

logger = logging.getLogger(__name__)

T = TypeVar("T")

COLLECTION = "processes"
EVERY_SECONDS = 10.0
#: What one write may take.
ANSWER_SECONDS = 2.0
#: One that wrote nothing for so long was killed, is frozen, or does not reach MongoDB.
SILENT_SECONDS = 30.0
#: What was killed is shown for so long.
KEPT_HOURS = 1
#: Of a list of them.
MOST_LISTED = 500
MOST_CHARACTERS = 200

#: MongoDB counts from no other type, and fails what asks for all of them.
IS_DATED = {"at": {"$type": "date"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What one process said last."""

    #: `web`, `relay`, `worker`, …
    kind: str
    #: The queues of a worker.
    queues: tuple[str, ...]
    host: str
    pid: int
    since: datetime
    #: When its main loop last did something, as far as it said so.
    alive_at: datetime
    #: For how long it has said nothing.
    silent_seconds: float
    #: For how long its main loop had done nothing when it said so.
    stuck_seconds: float
    #: What it does, and what it did last, and when.
    doing: str
    did: str
    did_at: datetime | None
    #: Why it should be started again although it runs.
    trouble: str

    @property
    def is_silent(self) -> bool:
        return self.silent_seconds > SILENT_SECONDS

    @property
    def is_stuck(self) -> bool:
        return self.stuck_seconds > heartbeat_file.LATE_SECONDS


class _This:
    """This process, from `begin` to its end."""

    def __init__(self, kind: str, queues: Callable[[], Sequence[str]]) -> None:
        self._kind, self._queues = kind, queues
        self._id, self._pid = ObjectId(), os.getpid()
        self._began = time.monotonic()
        self._ended = Event()
        self._reported = Reported()

    def tell_until_the_end(self) -> None:
        # A client of its own: a worker forks its pool, whose children must inherit no other.
        options = settings.DATABASES["default"]["OPTIONS"] | {
            "maxPoolSize": 1,
            # Polling saves a thread and a connection; a new primary that is noticed late costs one
            # write.
            "serverMonitoringMode": "poll",
        }
        client: MongoClient[dict[str, Any]] | None = None
        while not self._ended.is_set():
            # A URL of `mongodb+srv` makes none without its name server; the next time it may.
            client = client or self._try(lambda: MongoClient(settings.MONGODB_URL, **options))
            if client is not None:
                self._try(partial(self._tell, _of(client[settings.MONGODB_DATABASE])))
            self._ended.wait(EVERY_SECONDS)
        if client is not None:
            found = _of(client[settings.MONGODB_DATABASE])
            self._try(lambda: found.delete_one({"_id": self._id}))
            client.close()

    def _try(self, ask: Callable[[], T]) -> T | None:
        try:
            with pymongo.timeout(ANSWER_SECONDS):
                answer = ask()
        except PyMongoError as error:
            # Everything else is said by what the process itself asks of MongoDB.
            is_missing = isinstance(error, OperationFailure) and error.code == UNAUTHORIZED
            if is_missing and self._reported.is_new(why := in_words(error)):
                logger.info("The list of processes cannot be told of this one: %s", why)
            return None
        except Exception as error:
            if self._reported.is_new(repr(error)):
                logger.exception("The list of processes cannot be told of this one")
            return None
        self._reported.end()
        return answer

    def _tell(self, found: Collection[dict[str, Any]]) -> None:
        now = time.monotonic()
        said = {
            "kind": self._kind,
            "queues": [*self._queues()],
            "host": socket.gethostname(),
            "pid": self._pid,
            "running_seconds": now - self._began,
            "stuck_seconds": max(0.0, now - heartbeat_file.last_beat_at()),
            "doing": _does_now()[:MOST_CHARACTERS],
            "did": " ".join(map(str, _did))[:MOST_CHARACTERS],
            "did_seconds": now - _did_at,
            "trouble": heartbeat_file.trouble()[:MOST_CHARACTERS],
        }
        change = {"$set": said, "$currentDate": {"at": True}}
        found.update_one({"_id": self._id}, change, upsert=True)

    def end(self, thread: Thread) -> None:
        # A fork that ends is not this process.
        if os.getpid() == self._pid:
            self._ended.set()
            thread.join(ANSWER_SECONDS)


_this: _This | None = None
_doing: str | Callable[[], str] = ""
_did: tuple[object, ...] = ()
_did_at = 0.0


def begin(kind: str, queues: Callable[[], Sequence[str]] = tuple) -> None:
    """From now on tell of this process, until it ends; call it once it has forked."""
    global _this
    if _this is not None:
        return
    _this = _This(kind, queues)
    thread = Thread(target=_this.tell_until_the_end, daemon=True, name="presence")
    thread.start()
    atexit.register(_this.end, thread)


def doing(what: str | Callable[[], str]) -> None:
    """What the process does from now on; a function is asked each time."""
    global _doing
    _doing = what


def _does_now() -> str:
    if what := heartbeat_file.waits_for():
        return f"waits for {what}"
    return _doing() if callable(_doing) else _doing


def did(*words: object) -> None:
    """What it has just done; they are put together where they are told."""
    global _did, _did_at
    _did, _did_at = words, time.monotonic()


def processes(*kinds: str, queue: str = "") -> list[Process]:
    """Those that there are and those that fell silent lately, by kind; of all kinds without any.

    Args:
        queue: only workers of this queue.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    wanted: dict[str, Any] = {**IS_DATED, "kind": {"$in": [*kinds]}} if kinds else {**IS_DATED}
    wanted |= {"queues": queue} if queue else {}
    silent = {"$divide": [{"$subtract": ["$$NOW", "$at"]}, 1_000]}
    stages: list[dict[str, Any]] = [
        {"$match": wanted},
        {"$set": {"silent_seconds": silent}},
        {"$sort": {"kind": 1, "queues": 1, "host": 1, "pid": 1}},
        {"$limit": MOST_LISTED},
    ]
    told = map(_readable, _of(connection.database).aggregate(stages))
    return [each for each in told if each is not None]


def living(kind: str) -> int:
    """How many of the kind are not silent; raises what `processes` does."""
    recent = {"$lte": [{"$subtract": ["$$NOW", "$at"]}, SILENT_SECONDS * 1_000]}
    return _of(connection.database).count_documents({**IS_DATED, "kind": kind, "$expr": recent})


def forget_old() -> int:
    """Delete those that fell silent long ago; the scheduler runs this hourly."""
    since = {"$subtract": ["$$NOW", KEPT_HOURS * 3_600_000]}
    old = {**IS_DATED, "$expr": {"$lt": ["$at", since]}}
    return _of(connection.database).delete_many(old).deleted_count


def _readable(document: dict[str, Any]) -> Process | None:
    """None for what another program or release wrote otherwise: it hides no other process."""
    try:
        return _process(document)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        logger.warning("The process %s cannot be listed: %r", document["_id"], error)
        return None


def _process(document: dict[str, Any]) -> Process:
    at: datetime = document["at"]

    def ago(name: str) -> datetime:
        return at - timedelta(seconds=document[name])

    return Process(
        kind=document["kind"],
        queues=tuple(document["queues"]),
        host=document["host"],
        pid=document["pid"],
        since=ago("running_seconds"),
        alive_at=ago("stuck_seconds"),
        silent_seconds=document["silent_seconds"],
        stuck_seconds=document["stuck_seconds"],
        doing=document["doing"],
        did=document["did"],
        did_at=ago("did_seconds") if document["did"] else None,
        trouble=document["trouble"],
    )


def _of(database: Any) -> Collection[dict[str, Any]]:
    """What is lost with a primary is written again at once."""
    found: Collection[dict[str, Any]] = database.get_collection(
        COLLECTION,
        codec_options=AWARE,
        write_concern=WriteConcern(w=1, j=False),
    )
    return found
