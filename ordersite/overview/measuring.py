"""Measures the last minutes from what the orders hold, and keeps them in buckets.

Nothing is written when a message is handled. A minute is measured when it is over, and again
later, when orders that waited then have been answered. Of many orders some stand for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec
from bson import ObjectId
from django.db import connection
from pymongo import ReplaceOne
from pymongo.collection import Collection

from failed_messages.records.collection import failed_messages
from messaging.service import answering
from orders.collection import orders
from ordersite.overview.time_buckets import (
    DAY,
    HOUR,
    SPANS,
    WEEK,
    Bucket,
    Span,
    Took,
    loaded,
    stored,
    took,
    total,
)
from runtime.mongodb_clock import mongodb_now
from runtime.stored_documents import AWARE

EVERY_SECONDS = 20.0
#: How many minutes after its beginning a minute is measured, for the first time and again.
AGAIN_AFTER_MINUTES = (0, 1, 2, 5, 30)
#: Minutes of which a run measures those that were missed, as no scheduler ran.
MISSED_A_RUN = 10
#: So many parts of a minute, and of each so many orders, stand for all of it.
PARTS, ORDERS_A_PART = 6, 200
READ = {"created_at": True, "steps.service": True, "steps.at": True, "ledger": True}

Minutes = Sequence[datetime]


def measure() -> None:
    """Measure what is to be measured now; the scheduler runs this a few times a minute.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    now = mongodb_now()
    minutes = due(now, _kept_starts(HOUR, now))
    _keep(HOUR, [measured(minute, now) for minute in minutes])
    for finer, coarser in ((HOUR, DAY), (DAY, WEEK)):
        _add_up(finer, coarser, minutes)
    _forget(now)


def due(now: datetime, kept: set[datetime]) -> list[datetime]:
    """The minutes to be measured: those that are over for so long, and some that were missed."""
    this = HOUR.start_of(now)
    again = [this - timedelta(minutes=each) for each in AGAIN_AFTER_MINUTES]
    missed = [each for each in reversed(HOUR.starts(now)[:-1]) if each not in kept]
    return list(dict.fromkeys([*again, *missed[:MISSED_A_RUN]]))


def measured(minute: datetime, now: datetime) -> Bucket:
    """Raises pymongo.errors.PyMongoError: MongoDB did not answer."""
    end = minute + HOUR.bucket
    placed = orders().count_documents(_between(minute, end), hint="_id_")
    sample = list(_sample(minute, end)) if placed else []
    weight = placed / len(sample) if sample else 1.0
    failures = failed_messages().count_documents({"last_failed_at": {"$gte": minute, "$lt": end}})
    return Bucket(
        minute,
        placed,
        failures,
        {service.name: durations(service.name, sample, now, weight) for service in answering()},
    )


def durations(
    service: str, sample: Sequence[dict[str, Any]], now: datetime, weight: float = 1.0
) -> Took:
    """How long the service took for these orders; what still waits took as long as it has waited.

    `weight` is how many orders each of them stands for.
    """
    seconds = []
    for order in sample:
        # One that another program wrote otherwise is in no chart, and keeps no other out of it.
        with suppress(AttributeError, KeyError, TypeError):
            if service in (order.get("ledger") or {}):
                seconds.append(_seconds(service, order, now))
    return took(seconds, weight)


def _seconds(service: str, order: dict[str, Any], now: datetime) -> float:
    answers = (step["at"] for step in order.get("steps") or () if step["service"] == service)
    taken: timedelta = next(answers, now) - order["created_at"]
    return max(0.0, taken.total_seconds())


def of(span: Span, now: datetime) -> list[Bucket]:
    """The span's buckets, oldest first, empty ones among them.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    starts = span.starts(now)
    kept = {bucket.start: bucket for bucket in _kept(span, starts[0], now)}
    return [kept.get(start, Bucket(start)) for start in starts]


def _sample(start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    part = (end - start) / PARTS
    for index in range(PARTS):
        begin = start + index * part
        yield from orders().find(_between(begin, begin + part), READ).limit(ORDERS_A_PART)


def _between(start: datetime, end: datetime) -> dict[str, Any]:
    """By their ids, which begin with the second."""
    return {"_id": {"$gte": ObjectId.from_datetime(start), "$lt": ObjectId.from_datetime(end)}}


def _add_up(finer: Span, coarser: Span, minutes: Minutes) -> None:
    """Make the coarser buckets that these minutes are in anew, of the finer ones."""
    starts = {coarser.start_of(minute) for minute in minutes}
    _keep(
        coarser,
        [
            total(start, _kept(finer, start, start + coarser.bucket - timedelta(microseconds=1)))
            for start in starts
        ],
    )


def _key(span: Span, start: datetime) -> str:
    return f"{span.name}|{start:%Y-%m-%dT%H:%M}"


def _range(span: Span, first: datetime, last: datetime) -> dict[str, Any]:
    return {"_id": {"$gte": _key(span, first), "$lte": _key(span, last)}}


def _keep(span: Span, found: Sequence[Bucket]) -> None:
    if found:
        buckets().bulk_write(
            [
                ReplaceOne({"_id": _key(span, each.start)}, stored(each), upsert=True)
                for each in found
            ]
        )


def _kept(span: Span, first: datetime, last: datetime) -> Iterator[Bucket]:
    for document in buckets().find(_range(span, first, last)).sort("_id", 1):
        with suppress(msgspec.ValidationError):
            yield loaded(document)


def _kept_starts(span: Span, now: datetime) -> set[datetime]:
    found = buckets().find(_range(span, now - span.length, now), {"start": True})
    return {each["start"] for each in found if isinstance(each.get("start"), datetime)}


def _forget(now: datetime) -> None:
    """Delete what no chart shows any more; a coarser bucket may still be made of the finer ones."""
    for span in SPANS:
        before = now - span.length - 2 * WEEK.bucket
        buckets().delete_many({"_id": {"$gte": f"{span.name}|", "$lt": _key(span, before)}})


def buckets() -> Collection[dict[str, Any]]:
    return connection.database.get_collection("pipeline_buckets", codec_options=AWARE)
