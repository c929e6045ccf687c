"""How much memory processes take over time, each with its children."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Self

import psutil

if TYPE_CHECKING:
    from drills.run import Run


POLL_SECONDS = 1.0
MEBIBYTE = 1024 * 1024


class Memory:
    """Measures each second, in a thread of its own, each process of the pipeline and each node.

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
        while not self._ends.wait(POLL_SECONDS):
            taken = resident_mib()
            for name, pid in pids(self._run).items():
                self._most_mib[name] = max(self._most_mib.get(name, 0), taken(pid))


def pids(run: Run) -> Mapping[str, int]:
    """The main process of everything that runs."""
    nodes = {node.node_name: node.process.pid for node in run.site.rabbitmq.nodes}
    return run.site.pipeline.pids() | nodes


def resident_mib() -> Callable[[int], float]:
    """Measure all processes once; returns what one of them takes, with its children, by its pid."""
    own: dict[int, float] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for process in psutil.process_iter(["ppid", "memory_info"]):
        # A process that has just ended has none.
        if memory := process.info["memory_info"]:
            own[process.pid] = memory.rss / MEBIBYTE
            children[process.info["ppid"]].append(process.pid)

    def taken(pid: int) -> float:
        return own.get(pid, 0) + sum(map(taken, children[pid]))

    return taken
