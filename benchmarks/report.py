"""The tables, for the terminal and for docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import figures

BEGIN = "<!-- measured: written by make bench -->"
END = "<!-- end of measured -->"


def tables(results: dict[str, Any]) -> str:
    """Everything that was measured, as Markdown."""
    parts = [_taken(results), _comparison(results), _cpu(results), _growth(results)]
    return "\n\n".join(part for part in (*parts, _limits(results)) if part)


def write_between_markers(document: Path, text: str) -> None:
    """Replace what the document has between the two markers.

    Raises:
        ValueError: it lacks a marker.
    """
    before, begin, rest = document.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{document} lacks the line {BEGIN!r} or {END!r}")
    document.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def _taken(results: dict[str, Any]) -> str:
    machine, scale = results["machine"], results["scale"]
    return (
        f"Taken {results['taken_at']} on {machine['cores']} cores with {machine['memory_gb']} GB, "
        f"{machine['system']}, Python {machine['python']}, load before it: "
        f"{machine['load_before']:.2g}; rounds: {scale['rounds']}."
    )


def _comparison(results: dict[str, Any]) -> str:
    titles = results["contenders"]
    lines = [
        [row.title, *(_figure(row.by_contender.get(name)) for name in titles), _factor(row)]
        for row in figures.rows(results)
    ]
    return _table(["", *titles.values(), "against the best peer"], lines)


def _cpu(results: dict[str, Any]) -> str:
    by_process = figures.cpu_by_process(results)
    processes = list(dict.fromkeys(name for each in by_process.values() for name in each))
    lines = [
        [process, *(_figure(each.get(process)) for each in by_process.values())]
        for process in processes
    ]
    titles = [results["contenders"][name] for name in by_process]
    return _table(["CPU, s for 1,000 orders", *titles], lines)


def _growth(results: dict[str, Any]) -> str:
    lines = [
        [
            results["contenders"][name],
            beside,
            *(
                _figure(rush[key])
                for key in ("posts_per_second", "p99_ms", "effects_per_second", "peak_memory_mb")
            ),
            _figure(sum(rush["cpu_seconds_per_1000_orders"].values())),
        ]
        for name, beside, rush in figures.growth(results)
    ]
    header = ["Growth", "with", "POST/s", "p99 ms", "orders/s", "peak memory, MB"]
    return _table([*header, "CPU, s for 1,000 orders"], lines)


def _limits(results: dict[str, Any]) -> str:
    lines = [
        [
            each.title,
            _figure(each.per_second),
            each.our_title,
            _figure(each.ours_per_second),
            f"{each.ours_per_second / each.per_second:.0%}" if each.ours_per_second else "-",
        ]
        for each in figures.limits(results)
    ]
    return _table(["The limit of one process", "", "this pipeline", "", "of the limit"], lines)


def _table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table; nothing where there are no lines."""
    body = [f"| {' | '.join(cells)} |" for cells in lines]
    if not body:
        return ""
    # Words to the left, figures to the right.
    rule = "|".join(["---", *["---:"] * (len(header) - 1)])
    return "\n".join([f"| {' | '.join(header)} |", f"|{rule}|", *body])


def _factor(row: figures.Row) -> str:
    factor = row.factor()
    return "-" if factor is None else f"{factor:.1f} times"


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.3g}"
