"""The table in docs/reliability.md says what the recorded runs say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from drills.drill import Drill
from drills.faults import DRILLS
from drills.report.promises import PROMISES
from drills.report.result import Result, append, read
from drills.report.table import PAGE, between_markers, markers, promises_table, table, write
from localservices.pipeline import ROOT

DRILL = Drill("power-cut", (1, 8), "Nothing is lost", inject=lambda run: None)
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


def test_runs_add_up_between_the_markers(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    parts = [f"{name} {markers(name)[0]} old {markers(name)[1]}" for name in ("promises", "drills")]
    page.write_text(f"Before\n{'Between'.join(parts)}\nAfter\n")
    bad = replace(
        RESULT, commit="def", lost=1, violations=["lost: x", "queue: y"], recovery_seconds=7.0
    )

    write([DRILL], [RESULT, bad], page)

    text = page.read_text()
    sums = "2 (1 of 20 seeds) | 2,000 | 6 | 1 | 0 | 1 | 7.0 s | `abc`, `def`"
    assert f"| Nothing is lost (1, 8) | `power-cut` | {sums} |" in text
    assert "[`power-cut`](#power-cut)" in text
    assert text.startswith("Before\n")
    assert "Between" in text
    assert text.endswith("After\n")
    assert "old" not in text


def test_twenty_seeds_count(tmp_path: Path) -> None:
    runs = [replace(RESULT, seed=seed) for seed in range(1, 21)]

    assert "| `power-cut` | 20 | 20,000 |" in table([DRILL], runs)
    assert "| `power-cut` | 20 (19 of 20 seeds) |" in table([DRILL], [*runs[:19], runs[0]])


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


def test_every_promise_has_a_drill_and_every_drill_a_promise() -> None:
    numbers = [promise.number for promise in PROMISES]
    assert numbers == [*range(1, 11)]

    assert {number for drill in DRILLS for number in drill.promises} == {*numbers}
    assert all(drill.promises for drill in DRILLS)


def test_the_page_says_what_proves_each_promise() -> None:
    text = PAGE.read_text()
    assert text == between_markers(text, "promises", promises_table(DRILLS))


def test_the_tests_that_prove_a_promise_are_there() -> None:
    for promise in PROMISES:
        for file in promise.tests:
            assert (ROOT / file).is_file(), file
