"""A run that breaks off counts as wrong, and the next one begins."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from drills.__main__ import one_run
from drills.cluster.release import THIS, Release
from drills.cluster.site import Site, Sites
from drills.faults import DRILLS
from drills.report.result import read


class NoSites(Sites):
    """MongoDB stays down."""

    def __init__(self) -> None:
        self.abandoned = 0

    def current(self, release: Release = THIS) -> Site:
        raise ServerSelectionTimeoutError("No replica set members")

    def abandon(self) -> None:
        self.abandoned += 1


@pytest.mark.usefixtures("programs")
def test_a_run_that_breaks_off_is_recorded_as_wrong(tmp_path: Path) -> None:
    running, file = NoSites(), tmp_path / "results.jsonl"

    for seed in (1, 2):
        one_run(running, DRILLS[0], seed, 10, [file])

    recorded = read(file)
    assert [(each.drill, each.seed, each.is_right) for each in recorded] == [
        (DRILLS[0].name, 1, False),
        (DRILLS[0].name, 2, False),
    ]
    [what] = recorded[0].violations
    assert what.startswith("recovery: ")
    assert "No replica set members" in what
    assert running.abandoned == 2
