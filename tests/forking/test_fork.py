"""A forked program is what it would be if it had been started by itself."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from localservices.forked import ForkedProcess, fork_server
from localservices.pipeline import process_environment
from localservices.process import Process
from tests.polling import eventually
from tests.processes import ROOT

TOLD = """
import atexit, json, os, signal, sys, threading
print(json.dumps({
    "argv": sys.argv,
    "main": __name__,
    "own": os.environ.get("OWN"),
    "files": os.listdir("/proc/self/fd"),
    "threads": threading.active_count(),
    "group": os.getpgid(0) == os.getpid(),
    "niceness": os.nice(0),
    "handler": signal.getsignal(signal.SIGTERM) is signal.SIG_DFL,
    "input": sys.stdin.read(),
    "settings": "ordersite.settings" in sys.modules,
}))
atexit.register(print, "at exit")
if sys.argv[1:] == ["wait"]:
    signal.pause()
sys.exit(3)
"""

pytestmark = pytest.mark.usefixtures("programs")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    script = tmp_path / "told.py"
    script.write_text(TOLD)
    return script


@pytest.fixture(params=[Process, ForkedProcess])
def program(request: pytest.FixtureRequest, script: Path, tmp_path: Path) -> Iterator[Process]:
    """The script, started both ways."""
    process: Process = request.param(
        "told",
        ["sh", "-c", f"exec nice -n 3 python {script} wait"],
        tmp_path / "log",
        {**process_environment(), "OWN": "a value"},
        ROOT,
    )
    process.start()
    yield process
    process.kill()


def test_it_finds_what_a_started_program_finds(program: Process, script: Path) -> None:
    assert told(program) == {
        "argv": [str(script), "wait"],
        "main": "__main__",
        "own": "a value",
        # The fourth is the list's own.
        "files": ["0", "1", "2", "3"],
        "threads": 1,
        "group": True,
        "niceness": os.nice(0) + 3,
        "handler": True,
        "input": "",
        "settings": False,
    }
    assert psutil.Process(program.pid).cmdline()[-2:] == [str(script), "wait"]
    assert program.stop() == -signal.SIGTERM


def test_its_exit_code_is_its_own_after_what_it_does_at_the_end(
    script: Path, tmp_path: Path
) -> None:
    command = ["sh", "-c", f"exec python {script}"]
    process = ForkedProcess("told", command, tmp_path / "log", process_environment(), ROOT)
    process.start()
    assert process.wait() == 3
    assert process.log.read_text().splitlines()[-1] == "at exit"


def told(program: Process) -> Any:
    eventually(lambda: program.log.read_text().endswith("\n"))
    return json.loads(program.log.read_text().splitlines()[0])


def test_nothing_is_forked_that_processes_must_not_share() -> None:
    """The libraries start no thread as they are imported."""
    assert psutil.Process(fork_server().pid).num_threads() == 1
