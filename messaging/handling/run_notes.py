"""Notes of runs: they show which message a worker's process was handling when it died.

RabbitMQ counts how often a message was returned, but most of those that are returned were only
prefetched. So a process that runs a redelivered message stores a note before, and removes it after
it, however the run ends. A note that stays is of a run that was killed. A message's first delivery
notes nothing and costs nothing.
"""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.write_concern import WriteConcern

from messaging.errors import WorkerKilled
from messaging.handling.call import Answers, GoOn, MessageCall
from messaging.outages import telling_outages
from runtime.outage import Outage
from runtime.process_start import start_of

#: A run on another machine that began earlier than this is over, one way or the other.
LONGEST_RUN = timedelta(seconds=settings.TASK_TIME_LIMIT_SECONDS + 5)
#: Old notes; without them a message's count begins again.
KEPT_HOURS = 24

#: What this process could not remove, as MongoDB was down.
_left: set[str] = set()


def note_run(call: MessageCall, go_on: GoOn) -> Answers:
    """Middleware: note the run while it lasts, where one of the message's may have been killed.

    Raises:
        WorkerKilled, Outage: as `begin` does.
    """
    life = call.delivery.life
    if not life:
        return go_on()
    begin(life)
    try:
        return go_on()
    finally:
        end(life)


def begin(life: str) -> None:
    """Note that a run begins.

    Args:
        life: identifies the message over its redeliveries, as `Delivery.life` does.

    Raises:
        WorkerKilled: DELIVERY_LIMIT runs were killed, so this one must not take place.
        Outage: MongoDB is down; or many runs, of which one more may be too many, cannot be told
            from runs that are still under way elsewhere.
    """
    with telling_outages():
        _end_left()
        *others, this = _note(life)
        others = [run for run in others if not _is_ours(run)]
        if len(others) < settings.DELIVERY_LIMIT:
            return
        _take_back(life)
    killed = [run for run in others if is_over(run, this["at"])]
    if len(killed) >= settings.DELIVERY_LIMIT:
        # Further ones were killed while they gave the message up, and never began to handle it.
        raise WorkerKilled(settings.DELIVERY_LIMIT)
    raise Outage(f"{len(others)} runs of the message have begun, and some may still be running")


def end(life: str) -> None:
    """The run is over, and its process alive: whatever was suspected, the message kills no process.

    Never raises: where MongoDB is down the note goes before this process begins its next run.
    """
    _left.add(life)
    try:
        with telling_outages():
            _end_left()
    except Outage:
        return


def forget_old() -> int:
    """Delete the notes of messages that never came back; the scheduler runs this hourly.

    Returns: how many messages they were about.
    """
    since = {"$subtract": ["$$NOW", KEPT_HOURS * 3_600_000]}
    return begun_runs().delete_many({"$expr": {"$lt": ["$at", since]}}).deleted_count


def is_over(run: dict[str, Any], now: datetime) -> bool:
    """Whether no process works on it any more; by MongoDB's clock where it is elsewhere."""
    if run["place"] == place():
        return bool(run["started"] != start_of(run["pid"]))
    return bool(now - run["at"] > LONGEST_RUN)


@cache
def place() -> str:
    """Where a process id and its start mean one process: this machine since its start, or a
    container of it.

    Another machine may have the same name, and a process of the same id that began as long after
    the machine did, as containers have that are made alike.
    """
    return " ".join((socket.gethostname(), _boot(), _namespace()))


def _boot() -> str:
    """https://man7.org/linux/man-pages/man5/proc_sys_kernel.5.html"""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def begun_runs() -> Collection[dict[str, Any]]:
    """A note has to outlive a worker and not a MongoDB member, so it waits for no disk."""
    quick = WriteConcern(w=1, j=False)
    return connection.database.get_collection("begun_runs", write_concern=quick)


def _note(life: str) -> list[dict[str, Any]]:
    """Add a run; every one that the message has, this one last."""
    run = {**ours(), "at": "$$NOW"}
    runs = {"$concatArrays": [{"$ifNull": ["$runs", []]}, [run]]}
    noted: Any = begun_runs().find_one_and_update(
        {"_id": life},
        [{"$set": {"at": "$$NOW", "runs": runs}}],
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    assert noted is not None, "it was upserted"
    return list(noted["runs"])


def _take_back(life: str) -> None:
    begun_runs().update_one({"_id": life}, {"$pull": {"runs": ours()}})


def _is_ours(run: dict[str, Any]) -> bool:
    """Whether it was this process that ran it, which is alive and runs one at a time."""
    return all(run[name] == value for name, value in ours().items())


def ours() -> dict[str, Any]:
    """What names this process: a container that starts again may have its place and its id."""
    return {"place": place(), "pid": os.getpid(), "started": start_of(os.getpid())}


def _end_left() -> None:
    while _left:
        life = next(iter(_left))
        begun_runs().delete_one({"_id": life})
        _left.discard(life)
