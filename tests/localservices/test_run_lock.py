"""One `make run` at a time in one folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from localservices.errors import AlreadyRunning
from localservices.run_lock import only_run


def test_a_second_run_is_told_which_process_runs(tmp_path: Path) -> None:
    lock = tmp_path / "local" / "run.lock"
    with (
        only_run(lock),
        pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"),
        only_run(lock),
    ):
        pass


def test_the_next_run_may_start_when_the_first_has_ended(tmp_path: Path) -> None:
    for _ in range(2):
        with only_run(tmp_path / "run.lock"):
            pass
