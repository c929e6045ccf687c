"""Counters and histograms that are cheap enough for every order.

prometheus_client's own take several times as long for each number. These add, and become its
families when Prometheus asks. A worker's are those of its main process, which sees how every call
of its pool ends.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from threading import Lock

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

#: For handlers and requests.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
#: For what waits between processes.
WAITING_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600)
#: For batches.
MESSAGES = (1, 2, 5, 10, 20, 50, 100, 200, 400, 800)

#: Every one that the modules of this process have declared.
declared: list[Counter | Histogram] = []


class Counter:
    """A number for each combination of its labels' values; it only grows."""

    def __init__(self, name: str, help_: str, labels: tuple[str, ...]) -> None:
        """Args:
        name: ends with `_total`.
        help_: what it counts, with its unit.
        """
        self.name, self.help, self.labels = name, help_, labels
        self._lock = Lock()
        self._counts: dict[tuple[str, ...], float] = {}
        declared.append(self)

    def add(self, *values: str, count: float = 1) -> None:
        """Count so many more with these values of the labels."""
        with self._lock:
            self._counts[values] = self._counts.get(values, 0) + count

    def family(self) -> CounterMetricFamily:
        family = CounterMetricFamily(self.name, self.help, labels=self.labels)
        with self._lock:
            counted = [*self._counts.items()]
        for values, count in counted:
            family.add_metric(values, count)
        return family


class Series:
    """One combination of values of a histogram's labels."""

    __slots__ = ("_bounds", "_buckets", "_lock", "_sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        #: In each bucket alone, and in the last one what is beyond all bounds.
        self._buckets = [0] * (len(bounds) + 1)
        self._sum = 0.0
        self._lock = Lock()

    def observe(self, value: float, times: int = 1) -> None:
        """Take a value so many times."""
        bucket = bisect_left(self._bounds, value)
        with self._lock:
            self._buckets[bucket] += times
            self._sum += value * times

    def read(self) -> tuple[list[int], float]:
        """How many values are up to each bound, and the sum of all."""
        with self._lock:
            return [*accumulate(self._buckets)], self._sum


class Histogram:
    """How many of the values were at most how large, for each combination of its labels' values."""

    def __init__(
        self, name: str, help_: str, labels: tuple[str, ...], bounds: tuple[float, ...]
    ) -> None:
        """Args:
        help_: what is measured, with its unit.
        bounds: of its buckets, in that unit; ascending.
        """
        self.name, self.help, self.labels, self._bounds = name, help_, labels, bounds
        self._series: dict[tuple[str, ...], Series] = {}
        declared.append(self)

    def series(self, *values: str) -> Series:
        """That of these values of the labels; who needs it often may keep it."""
        found = self._series.get(values)
        return found or self._series.setdefault(values, Series(self._bounds))

    def observe(self, value: float, *values: str, times: int = 1) -> None:
        """Take a value so many times, with these values of the labels."""
        self.series(*values).observe(value, times)

    def family(self) -> HistogramMetricFamily:
        family = HistogramMetricFamily(self.name, self.help, labels=self.labels)
        bounds = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
        for values, series in [*self._series.items()]:
            counts, total = series.read()
            up_to = [*zip(bounds, counts, strict=True)]
            family.add_metric(values, buckets=up_to, sum_value=total)
        return family
