"""A program that was started here does what it is told."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from localservices.process import Process
from tests.polling import eventually

BUSY_THREADS = """
import hashlib, threading
def work():
    while True:
        hashlib.sha256(bytes(100_000)).digest()
for _ in range(8):
    threading.Thread(target=work).start()
print("working", flush=True)
"""


@pytest.fixture
def process(programs: None, tmp_path: Path) -> Iterator[Process]:
    process = Process("busy", [sys.executable, "-c", BUSY_THREADS], tmp_path / "busy.log")
    process.start()
    yield process
    process.kill()


def test_once_frozen_none_of_its_threads_runs(process: Process) -> None:
    eventually(lambda: "working" in process.log_since_start())

    for _ in range(50):
        process.freeze()
        assert thread_states(process) == {"T"}
        process.thaw()


def test_what_is_frozen_already_can_be_frozen_and_stopped(process: Process) -> None:
    process.freeze()
    process.freeze()
    assert process.stop() is not None


def thread_states(process: Process) -> set[str]:
    """The kernel's word for each of its threads; https://man7.org/linux/man-pages/man5/proc.5.html"""
    stats = Path(f"/proc/{process.pid}/task").glob("*/stat")
    return {stat.read_text().rpartition(")")[2].split()[0] for stat in stats}
