"""What processes consume: CPU time by process, and memory at its peak."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread

import psutil

SAMPLE_SECONDS = 0.5


def cpu_seconds(pids: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """The CPU time that each name's processes have used so far, their children's included."""
    return {name: sum(map(_tree_seconds, each)) for name, each in pids.items()}


@dataclass(slots=True)
class Peak:
    """The most memory that was seen, shared pages counted once."""

    megabytes: float = 0.0


@contextmanager
def peak_memory(pids: Iterable[int]) -> Iterator[Peak]:
    """Watch these processes and their children; the peak is final when the block ends."""
    peak, ended, watched = Peak(), Event(), list(pids)

    def watch() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            peak.megabytes = max(peak.megabytes, sum(map(_tree_megabytes, watched)))

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        peak.megabytes = max(peak.megabytes, sum(map(_tree_megabytes, watched)))
        ended.set()
        thread.join()


def _tree(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _tree_seconds(pid: int) -> float:
    seconds = 0.0
    for process in _tree(pid):
        with suppress(psutil.NoSuchProcess):
            # A process that ended is in its parent's children_*.
            times = process.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


def _tree_megabytes(pid: int) -> float:
    shares = 0.0
    for process in _tree(pid):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            shares += process.memory_full_info().pss / 1e6
    return shares
