"""The table in docs/reliability.md says what the recorded runs say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from drills.drill import Drill
from drills.faults import DRILLS
from drills.result import Result, append, read
from drills.table import BEGIN, END, PAGE, write

DRILL = Drill("power-cut", "Nothing is lost", inject=lambda run: None)
RESULT = Result(
    drill="power-cut",
    seed=1,
    commit="abc",
    at="2026-01-01T00:00:00+00:00",
    orders=1_000,
    requests=1_100,
    faults=3,
    lost=0,
    twice=0,
    violations=[],
    recovery_seconds=2.5,
    seconds=20,
)


def test_runs_add_up_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    page.write_text(f"Before\n{BEGIN}\nold\n{END}\nAfter\n")
    bad = replace(RESULT, lost=1, violations=["lost: x", "queue: y"], recovery_seconds=7.0)

    write([DRILL], [RESULT, bad], page)

    text = page.read_text()
    assert "| Nothing is lost | `power-cut` | 2 | 2,000 | 6 | 1 | 0 | 1 | 7.0 s |" in text
    assert text.startswith("Before\n")
    assert text.endswith("After\n")
    assert "old" not in text


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    append(RESULT, file)
    append(replace(RESULT, seed=2), file)

    assert read(file) == [RESULT, replace(RESULT, seed=2)]


def test_the_page_has_a_row_and_a_section_for_every_drill() -> None:
    text = PAGE.read_text()
    for drill in DRILLS:
        assert f"| `{drill.name}` |" in text
        assert f"### `{drill.name}`" in text
