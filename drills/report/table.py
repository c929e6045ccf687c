"""The tables in docs/reliability.md: what proves each promise, and the runs that were recorded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from drills.drill import Drill
from drills.report.promises import PROMISES, Promise
from drills.report.result import Result, of_drill
from localservices.pipeline import ROOT

PAGE = ROOT / "docs" / "reliability.md"

PROMISES_HEAD = "| | Promise | Drills | Checked in every drill | Tests |\n|--:|---|---|---|---|"
DRILLS_HEAD = (
    "| Promise | Drill | Runs | Orders | Faults injected | Lost | Done twice | Other findings "
    "| Worst recovery | Revision |\n|---|---|--:|--:|--:|--:|--:|--:|--:|---|"
)
#: A drill counts from so many seeds on.
SEEDS_THAT_COUNT = 20


def write(drills: Sequence[Drill], results: Sequence[Result], page: Path = PAGE) -> None:
    """Put each table between its markers."""
    text = between_markers(page.read_text(), "promises", promises_table(drills))
    page.write_text(between_markers(text, "drills", table(drills, results)))


def markers(name: str) -> tuple[str, str]:
    """Where a generated part of the page begins, and where it ends."""
    return f"<!-- {name}: generated, begin -->", f"<!-- {name}: generated, end -->"


def between_markers(text: str, name: str, generated: str) -> str:
    begin, end = markers(name)
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n\n{generated}\n\n{end}{after}"


def promises_table(drills: Sequence[Drill]) -> str:
    return "\n".join([PROMISES_HEAD, *(promise_row(each, drills) for each in PROMISES)])


def promise_row(promise: Promise, drills: Sequence[Drill]) -> str:
    proving = [
        f"[`{each.name}`](#{each.name})" for each in drills if promise.number in each.promises
    ]
    tests = [f"`{file}`" for file in promise.tests]
    cells = [promise.number, promise.text, ", ".join(proving), promise.everywhere, ", ".join(tests)]
    return line(cells)


def table(drills: Sequence[Drill], results: Sequence[Result]) -> str:
    """A row for each drill, with the sums of its runs."""
    rows = [row(drill, of_drill(results, drill.name)) for drill in drills]
    return "\n".join([DRILLS_HEAD, *rows])


def row(drill: Drill, results: Sequence[Result]) -> str:
    lost, twice = sum(each.lost for each in results), sum(each.twice for each in results)
    others = sum(len(each.violations) for each in results) - lost - twice
    worst = max((each.recovery_seconds for each in results), default=0)
    cells = [
        f"{drill.promise} ({', '.join(map(str, drill.promises))})",
        f"`{drill.name}`",
        runs(results),
        f"{sum(each.orders for each in results):,}",
        f"{sum(each.faults for each in results):,}",
        lost,
        twice,
        others,
        f"{worst:.1f} s" if results else "",
        ", ".join(dict.fromkeys(f"`{each.commit}`" for each in results)),
    ]
    return line(cells)


def runs(results: Sequence[Result]) -> str:
    """How many; and that they do not count yet, where too few seeds were run."""
    seeds = len({each.seed for each in results})
    too_few = f" ({seeds} of {SEEDS_THAT_COUNT} seeds)" if seeds < SEEDS_THAT_COUNT else ""
    return f"{len(results)}{too_few}"


def line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
