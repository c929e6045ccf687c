"""Buckets of time: how many orders came, how long they took, what failed; what charts are made of.

A bucket holds counts and a histogram of durations, so that several of them add up to a longer one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

#: The first bar of a histogram ends at 10 ms, and each further one at 1.41 times of that before it:
#: the last one begins after eleven hours.
FIRST_SECONDS = 0.01
BARS = 45


class Span(Struct, frozen=True):
    """What a chart covers."""

    name: str
    bucket: timedelta
    buckets: int
    #: Of the failed messages that belong to it, as a filter of the list has it.
    newer_than: str

    @property
    def length(self) -> timedelta:
        return self.bucket * self.buckets

    def start_of(self, moment: datetime) -> datetime:
        """When the bucket that the moment is in begins."""
        seconds = self.bucket.total_seconds()
        return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, UTC)

    def starts(self, now: datetime) -> list[datetime]:
        """When each of its buckets begins, oldest first."""
        last = self.start_of(now)
        return [last - index * self.bucket for index in reversed(range(self.buckets))]


HOUR = Span("hour", timedelta(minutes=1), 60, "1h")
DAY = Span("day", timedelta(minutes=15), 96, "24h")
WEEK = Span("week", timedelta(hours=2), 84, "7d")
#: Each is made of the buckets of the one before it.
SPANS = (HOUR, DAY, WEEK)


class Took(Struct, frozen=True):
    """How long a service took from an order's acceptance to its answer."""

    #: Orders in each bar of the histogram; of those that still wait, what they have waited.
    bars: tuple[int, ...] = (0,) * BARS

    @property
    def count(self) -> int:
        return sum(self.bars)

    def percentile(self, share: float) -> float | None:
        """The seconds that so many took at most, to 41 %; None where there is none."""
        wanted = math.ceil(share * self.count)
        seen = 0
        for index, bar in enumerate(self.bars):
            seen += bar
            if bar and seen >= wanted:
                return end_of_bar(index)
        return None


class Bucket(Struct, frozen=True):
    start: datetime
    #: Orders that were accepted.
    placed: int = 0
    #: Messages that were given up.
    failures: int = 0
    #: By service.
    took: dict[str, Took] = {}


def took(seconds: Iterable[float], weight: float = 1.0) -> Took:
    """The histogram of these durations, each of which stands for so many orders."""
    bars = [0.0] * BARS
    for each in seconds:
        bars[bar_of(each)] += weight
    return Took(tuple(round(bar) for bar in bars))


def bar_of(seconds: float) -> int:
    if seconds <= FIRST_SECONDS:
        return 0
    return min(BARS - 1, math.ceil(2 * math.log2(seconds / FIRST_SECONDS)))


def end_of_bar(index: int) -> float:
    return float(FIRST_SECONDS * 2 ** (index / 2))


def total(start: datetime, buckets: Iterable[Bucket]) -> Bucket:
    """One bucket in place of several."""
    several = list(buckets)
    services = dict.fromkeys(name for each in several for name in each.took)
    return Bucket(
        start,
        sum(each.placed for each in several),
        sum(each.failures for each in several),
        {name: _sum(each.took[name] for each in several if name in each.took) for name in services},
    )


def _sum(several: Iterable[Took]) -> Took:
    return Took(tuple(map(sum, zip(*(each.bars for each in several), strict=True))))


def stored(bucket: Bucket) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(bucket, builtin_types=(datetime,))
    return document


def loaded(document: Mapping[str, Any]) -> Bucket:
    """Raises msgspec.ValidationError: another release stored it otherwise."""
    return msgspec.convert({k: v for k, v in document.items() if k != "_id"}, Bucket)
