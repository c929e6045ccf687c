"""How much memory processes take over time, each with its children."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType
from typing import Self

import psutil

from drills.run import Run

LOOK_SECONDS = 1.0
MEBIBYTE = 1024 * 1024


class Memory:
    """Looks each second, in a thread of its own, at each process of the pipeline and each node.

    with Memory(run) as memory:
        warm_up()
        baseline = memory.most_mib()
        fill_up()
    print(memory.most_mib())
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._most_mib: dict[str, float] = {}
        self._ends = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ends.set()
        self._thread.join()

    def most_mib(self) -> dict[str, float]:
        """The most that each has taken since the beginning, by its name."""
        return {**self._most_mib}

    def _watch(self) -> None:
        while not self._ends.wait(LOOK_SECONDS):
            for name, pid in pids(self._run).items():
                with suppress(psutil.NoSuchProcess):
                    self._most_mib[name] = max(self._most_mib.get(name, 0), resident_mib(pid))


def pids(run: Run) -> Mapping[str, int]:
    """The main process of everything that runs."""
    nodes = {node.node_name: node.process.pid for node in run.site.rabbitmq.nodes}
    return run.site.pipeline.pids() | nodes


def resident_mib(pid: int) -> float:
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    return sum(float(each.memory_info().rss) for each in family) / MEBIBYTE
