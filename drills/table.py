"""The table in docs/reliability.md, from the runs that were recorded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from drills.drill import Drill
from drills.result import Result, of_drill
from localservices.pipeline import ROOT

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- drills: the table begins -->", "<!-- drills: the table ends -->"

HEAD = (
    "| Promise | Drill | Runs | Orders | Faults injected | Lost | Done twice | Other findings "
    "| Worst recovery |\n|---|---|--:|--:|--:|--:|--:|--:|--:|"
)


def write(drills: Sequence[Drill], results: Sequence[Result], page: Path = PAGE) -> None:
    """Put the table between its marks."""
    text = page.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{table(drills, results)}\n\n{END}{after}")


def table(drills: Sequence[Drill], results: Sequence[Result]) -> str:
    rows = [row(drill, of_drill(results, drill.name)) for drill in drills]
    return "\n".join([HEAD, *rows])


def row(drill: Drill, results: Sequence[Result]) -> str:
    lost, twice = sum(each.lost for each in results), sum(each.twice for each in results)
    others = sum(len(each.violations) for each in results) - lost - twice
    worst = max((each.recovery_seconds for each in results), default=0)
    cells = [
        drill.promise,
        f"`{drill.name}`",
        len(results),
        f"{sum(each.orders for each in results):,}",
        f"{sum(each.faults for each in results):,}",
        lost,
        twice,
        others,
        f"{worst:.1f} s" if results else "",
    ]
    return f"| {' | '.join(map(str, cells))} |"
