"""Failures over time, by service or by group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from failed_messages.archiving.groups import hour_of
from failed_messages.reading.counts import counts_since
from failed_messages.records.collection import failure_groups
from runtime.mongodb_clock import about_now

#: Hours that a chart covers -> hours that one bar covers.
SPANS = {24: 1, 168: 6, 720: 24}
#: Groups with a colour of their own; the others are one.
GROUPS_SHOWN = 5
OTHERS = "all others"


@dataclass(frozen=True, slots=True)
class Chart:
    """Deaths of several series in equal spans of time, oldest first."""

    #: When each bar begins.
    starts: list[datetime]
    #: By the service's name or the group's fingerprint, the largest first.
    series: dict[str, list[int]]
    #: In words, of the groups that are known.
    names: Mapping[str, str]


def failures_over_time(by: str, hours: int) -> Chart:
    """Deaths in the last hours; `by` is `service` or `group`."""
    bar = timedelta(hours=SPANS[hours])
    first = hour_of(about_now()) - timedelta(hours=hours - 1)
    bars = hours // SPANS[hours]
    counted: defaultdict[str, list[int]] = defaultdict(lambda: [0] * bars)
    for count in counts_since(first):
        index = (count["hour"] - first) // bar
        if index < bars:  # a worker's clock may run ahead
            counted[count[by]][index] += count["deaths"]
    ordered = dict(sorted(counted.items(), key=lambda item: -sum(item[1])))
    starts = [first + index * bar for index in range(bars)]
    if by != "group":
        return Chart(starts, ordered, {})
    largest = _largest(ordered)
    return Chart(starts, largest, _names(largest))


def _largest(series: dict[str, list[int]]) -> dict[str, list[int]]:
    names = list(series)
    shown = {name: series[name] for name in names[:GROUPS_SHOWN]}
    rest = [series[name] for name in names[GROUPS_SHOWN:]]
    return {**shown, **({OTHERS: [sum(each) for each in zip(*rest, strict=True)]} if rest else {})}


def _names(fingerprints: Iterable[str]) -> dict[str, str]:
    found = failure_groups().find({"_id": {"$in": list(fingerprints)}})
    return {
        group["_id"]: f"{group.get('service')}: {group.get('exception') or group.get('reason')}, "
        f"{str(group.get('pattern'))[:60]} ({group['_id']})"
        for group in found
    }
