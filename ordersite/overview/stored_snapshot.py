"""The snapshot that every page shows: the scheduler reads it and keeps it in MongoDB.

Where no fresh one is kept, as no scheduler runs, the web server reads one itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import update_wrapper
from threading import Lock
from typing import Any, TypeVar

import msgspec
import pymongo
from django.db import connection
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from inventory.recounting import Difference, HistoryTooShort, recount
from ordersite.doctor.examination import examine
from ordersite.doctor.report import Report
from ordersite.overview.order_count import OrderCounts, estimated
from ordersite.overview.reading import read
from ordersite.overview.snapshot import (
    Doctor,
    Finding,
    Snapshot,
    StockDifference,
    loaded,
    stored,
)
from ordersite.pipeline import health
from runtime.mongodb_clock import mongodb_now
from runtime.mongodb_clock import told as told_time
from runtime.stored_documents import AWARE

EVERY_SECONDS = 10.0
#: Reading one may take one part in so many of a processor's time.
SHARE = 20
#: The same with what it waits for: a busy machine does not make the page old, as when it is needed.
WAITING_SHARE = 4
#: An older one is of a scheduler that is gone or hangs.
LATE_SECONDS = 10.0
#: What the scheduler's reading may take of MongoDB.
SCHEDULERS_SECONDS = 30.0
#: For so long the answer of RabbitMQ to a page is good for others.
PROBE_SECONDS = 2.0
#: What asking MongoDB for the kept one may take a page.
ANSWER_SECONDS = 1.0

NOW, DOCTOR, STOCK = "now", "doctor", "stock"

Kept = TypeVar("Kept", Doctor, StockDifference)


class Sparing:
    """Runs something at most one part in so many of the time, however long it takes.

    With `time.thread_time` as `cost` that is the part of a processor, without what it waits for.
    """

    def __init__(
        self,
        run: Callable[[], object],
        share: int,
        cost: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run, self._share = run, share
        self._cost, self._clock = cost, clock
        self._next_at = 0.0
        # The log and the heartbeat name it.
        update_wrapper(self, run)

    def __call__(self) -> None:
        if self._clock() < self._next_at:
            return
        before = self._cost()
        self._run()
        self._next_at = self._clock() + (self._cost() - before) * self._share


_order_counts = OrderCounts()


def take() -> Snapshot:
    """Read a snapshot and keep it.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    now = read(_order_counts.accepted, SCHEDULERS_SECONDS)
    kept().replace_one({"_id": NOW}, stored(_with_seen(now)), upsert=True)
    return now


def _with_seen(now: Snapshot) -> Snapshot:
    """With when each queue last had a consumer, and there was a web process and a deliverer, and
    since when a queue was not seen empty, or an order not accounted for."""
    # One that was just read has seen nothing before.
    before, queues = _kept_last() or now, now.queues or {}
    known = before.filled_since
    return msgspec.structs.replace(
        now,
        consumers_seen=before.consumers_seen
        | {name: now.at for name, queue in queues.items() if queue.consumers},
        filled_since={
            name: known.get(name, now.at) for name, queue in queues.items() if queue.messages
        },
        unaccounted_since=before.unaccounted_since
        if now.lines is None
        else {
            line.service: before.unaccounted_since.get(line.service, now.at)
            for line in now.lines
            if line.unaccounted
        },
        web_seen=now.at if now.web else before.web_seen,
        deliverer_seen=now.at if now.deliverer and now.deliverer.living else before.deliverer_seen,
    )


#: What the scheduler runs.
take_sparingly = Sparing(Sparing(take, SHARE, cost=time.thread_time), WAITING_SHARE)


def ask_doctor() -> None:
    """Keep what the doctor finds; raises what `take` does."""
    keep_report(examine())


def keep_report(report: Report) -> None:
    """Show on the front page what the doctor has found; raises what `take` does."""
    found = [
        Finding(each.severity, each.subject, each.problem, each.consequence, each.fix, each.note)
        for each in report.worst_first
    ]
    unchecked, now = sum(len(each.checks) for each in report.unchecked), mongodb_now()
    since = _unchecked_since() or now if unchecked else None
    _keep(DOCTOR, Doctor(now, tuple(found), unchecked, since))


def _unchecked_since() -> datetime | None:
    """What the last examination says about itself."""
    before = _converted(kept().find_one({"_id": DOCTOR}), Doctor)
    return before.unchecked_since if before else None


def recount_stock() -> None:
    """Keep of which products the stock is not as its movements say; raises what `take` does."""
    try:
        found = recount().differences
    except HistoryTooShort:
        return
    skus = dict.fromkeys(each.sku for each in found)
    first = next((told(each) for each in found), "")
    _keep(STOCK, StockDifference(mongodb_now(), tuple(skus), first))


def told(difference: Difference) -> str:
    """`6 are stored as available, its movements add up to 10.`"""
    stored, quantity = f"{difference.stored:,}", difference.quantity
    moved = f"{difference.recounted:,}"
    said = f"{stored} are stored as {quantity}, its movements add up to {moved}."
    if difference.quantity != "available":
        return said
    if difference.stored < difference.recounted:
        return f"{said} Orders may be refused although there are goods."
    return f"{said} Orders may be promised goods that are not there."


def last() -> Snapshot | None:
    """What the scheduler kept last; None where no scheduler works. Raises what `take` does."""
    found = _kept_last()
    return found if found and is_fresh(found, mongodb_now()) else None


def _kept_last() -> Snapshot | None:
    document = kept().find_one({"_id": NOW})
    return loaded(document) if document else None


def current() -> Snapshot:
    """The snapshot to show now; never raises for MongoDB or RabbitMQ, but says so in it."""
    documents: dict[str, Any] = {}
    kept_one, is_shown = None, False
    with pymongo.timeout(ANSWER_SECONDS), suppress(PyMongoError):
        documents = {each["_id"]: each for each in kept().find()}
        kept_one = loaded(documents[NOW]) if NOW in documents else None
        is_shown = kept_one is not None and is_fresh_at_primary(kept_one)
    doctor = _converted(documents.get(DOCTOR), Doctor)
    stock = _converted(documents.get(STOCK), StockDifference)
    # One of some seconds ago does not know that RabbitMQ is gone since.
    is_shown = is_shown and (bool(kept_one and kept_one.rabbitmq) or _rabbitmq.answers())
    found = kept_one if kept_one and is_shown else _own.read()
    seen = found.consumers_seen or (kept_one.consumers_seen if kept_one else {})
    return msgspec.structs.replace(found, doctor=doctor, stock=stock, consumers_seen=seen)


def is_fresh(snapshot: Snapshot, now: datetime) -> bool:
    """Whether a scheduler that works would not have made another one by now."""
    age = (now - snapshot.at).total_seconds()
    return abs(age) <= EVERY_SECONDS + LATE_SECONDS + snapshot.took_seconds * SHARE


def is_fresh_at_primary(snapshot: Snapshot) -> bool:
    """The same by MongoDB's clock, and False where no primary answers; raises what `take` does."""
    hello = connection.database.command("hello")
    # Where the URL names one member alone, that answers whatever it is.
    return bool(hello["isWritablePrimary"]) and is_fresh(snapshot, told_time(hello))


class Probe:
    """Whether RabbitMQ answers, asked once in a few seconds, however many pages are read."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = Lock()
        self._clock = clock
        self._asked_at = -PROBE_SECONDS
        self._answers = True

    def answers(self) -> bool:
        with self._lock:
            if self._clock() - self._asked_at >= PROBE_SECONDS:
                self._answers = health.rabbitmq_answers()
                self._asked_at = self._clock()
            return self._answers


class OwnReading:
    """The web server's, for a few seconds: however many pages are read, one of them asks."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._read_at = -EVERY_SECONDS
        self._snapshot: Snapshot | None = None

    def read(self) -> Snapshot:
        with self._lock:
            if self._snapshot is None or time.monotonic() - self._read_at >= EVERY_SECONDS:
                self._snapshot = read(estimated)
                self._read_at = time.monotonic()
            return self._snapshot


_own, _rabbitmq = OwnReading(), Probe()


def _converted(document: Mapping[str, Any] | None, kind: type[Kept]) -> Kept | None:
    """None where there is none, or another release wrote it otherwise."""
    if document is None:
        return None
    try:
        return msgspec.convert({k: v for k, v in document.items() if k != "_id"}, kind)
    except msgspec.ValidationError:
        return None


def _keep(name: str, what: msgspec.Struct) -> None:
    document = msgspec.to_builtins(what, builtin_types=(datetime,))
    kept().replace_one({"_id": name}, document, upsert=True)


def kept() -> Collection[dict[str, Any]]:
    return connection.database.get_collection("pipeline_snapshot", codec_options=AWARE)
