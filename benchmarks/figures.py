"""From the runs of a session to the figures that are compared: medians over the rounds."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.contenders import OURS

POST = "POST/s, connections: {}"
P99 = "p99 ms, connections: {}"
END_TO_END = "End to end, orders/s to the last effect"
DRAIN = "Drain, orders/s"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of each contender."""

    title: str
    by_contender: dict[str, float]
    #: Whether less is better, as of a latency.
    less_is_better: bool = False

    def best_peer(self) -> float | None:
        """The best figure that is not ours; None without a peer."""
        peers = [value for name, value in self.by_contender.items() if name not in OURS]
        best = min if self.less_is_better else max
        return best(peers, default=None)

    def factor(self) -> float | None:
        """How many times as good as the best peer we are; None where one of both is missing."""
        ours, peer = self.by_contender.get(OURS[0]), self.best_peer()
        if not ours or not peer:
            return None
        return peer / ours if self.less_is_better else ours / peer


def rows(results: dict[str, Any]) -> list[Row]:
    """Every figure that contenders are compared in, as far as it was measured."""
    each = [
        *_post_rows(results),
        _row(results, END_TO_END, "end_to_end", "effects_per_second"),
        _row(results, "End to end, orders/s to `confirmed`", "end_to_end", "confirmed_per_second"),
        _row(results, DRAIN, "drain", "orders_per_second"),
        Row("CPU, s for 1,000 orders", _cpu_totals(results), less_is_better=True),
        _row(results, "Peak memory, MB", "end_to_end", "peak_memory_mb", less_is_better=True),
        _row(results, "One order on an idle system, p50 ms", "idle", "p50_ms", less_is_better=True),
        _row(results, "One order on an idle system, p99 ms", "idle", "p99_ms", less_is_better=True),
    ]
    return [row for row in each if row.by_contender]


def of_measure(results: dict[str, Any], measure: str) -> dict[Any, list[Any]]:
    """The results in a measure by contender, None where it has none; one a round."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for run in results["runs"]:
        if run["measure"] == measure and "result" in run:
            found[run["contender"]].append(run["result"])
    return found


def cpu_by_process(results: dict[str, Any]) -> dict[str, dict[str, float]]:
    """For each contender, the CPU seconds for 1,000 orders of each process."""
    return {
        name: {
            process: median(one["cpu_seconds_per_1000_orders"][process] for one in seen)
            for process in seen[0]["cpu_seconds_per_1000_orders"]
        }
        for name, seen in of_measure(results, "end_to_end").items()
    }


@dataclass(frozen=True, slots=True)
class Limit:
    """What MongoDB or RabbitMQ gives to one process that does nothing else."""

    title: str
    per_second: float
    #: How much of it our orders took.
    our_title: str
    ours_per_second: float | None


def limits(results: dict[str, Any]) -> list[Limit]:
    """Each limit beside our figure that it bounds."""
    seen = of_measure(results, "limits").get(None, [])
    if not seen:
        return []
    ours = {row.title: row.by_contender.get(OURS[0]) for row in rows(results)}
    drained = ours.get(DRAIN)
    bounds = (
        ("insert_one, documents/s", "insert_one_documents_per_second", POST.format(1)),
        ("insert_many, documents/s", "insert_many_documents_per_second", POST.format(32)),
        ("pipelined confirms, messages/s", "confirmed_messages_per_second", END_TO_END),
        ("consume and ack, messages/s", "acked_messages_per_second", "Drain, messages/s"),
    )
    # An order waits in two queues.
    ours["Drain, messages/s"] = drained and drained * 2
    return [
        Limit(title, median(one[key] for one in seen), our_title, ours.get(our_title))
        for title, key, our_title in bounds
    ]


def failures(results: dict[str, Any]) -> list[str]:
    """What did not work or was not right, one line each."""
    return [
        f"{run['contender']}, {run['measure']}, round {run['round']}: {run['failed']}"
        for run in results["runs"]
        if "failed" in run
    ]


def growth(results: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """(contender, "orders stored: 1,000" or "workers a service: 4", the rush beside it)."""
    return [
        (name, f"{unit}: {int(amount):,}", rush)
        for name, seen in of_measure(results, "growth").items()
        for kind, unit in (("stored", "orders stored"), ("copies", "workers a service"))
        for amount, rush in seen[0][kind].items()
    ]


def _post_rows(results: dict[str, Any]) -> list[Row]:
    posts = of_measure(results, "post")
    rushes = next(iter(posts.values()))[0] if posts else []
    return [
        Row(
            title.format(each["connections"]),
            {name: median(one[at][key] for one in seen) for name, seen in posts.items()},
            less_is_better=key != "posts_per_second",
        )
        for at, each in enumerate(rushes)
        for title, key in (
            (POST, "posts_per_second"),
            ("p50 ms, connections: {}", "p50_ms"),
            (P99, "p99_ms"),
        )
    ] + [Row("Errors", _errors(posts), less_is_better=True)]


def _errors(posts: dict[str, list[Any]]) -> dict[str, float]:
    return {
        name: sum(sum(rush["errors"].values()) for one in seen for rush in one)
        for name, seen in posts.items()
    }


def _row(
    results: dict[str, Any], title: str, measure: str, key: str, less_is_better: bool = False
) -> Row:
    seen = of_measure(results, measure)
    medians = {name: median(one[key] for one in each) for name, each in seen.items()}
    return Row(title, medians, less_is_better)


def _cpu_totals(results: dict[str, Any]) -> dict[str, float]:
    return {
        name: median(sum(one["cpu_seconds_per_1000_orders"].values()) for one in seen)
        for name, seen in of_measure(results, "end_to_end").items()
    }
