"""Runs processes together, prints their lines, and starts again what dies."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TypedDict

from ordersite.forking.fork import Forked, fork
from ordersite.forking.named_lines import Lines, prefixes, say

STOP_SECONDS = 15
#: A process that ends sooner after its first start cannot run here; one that ran for longer can …
STEADY_SECONDS = 10.0
#: … unless it then ends so soon more often than this in a row.
SOON_ENDS = 5
#: A process that was asked to stop ends with one of these.
STOPPED = (0, -signal.SIGTERM, -signal.SIGINT)
STAYS = (
    "{name} was stopped, and stays so; all others go on. To have it back, in another terminal:\n"
    "  . .venv/bin/activate; {command}"
)


class Start(TypedDict):
    """How a process is started."""

    #: Of a shell.
    command: str
    #: What it gets beside our environment.
    environment: Mapping[str, str]


class Child(NamedTuple):
    name: str
    pid: int
    started_at: float


class CannotRun(Exception):
    """A process failed right after its start."""


class Supervisor:
    """The parent of all processes.

    with Supervisor({"web": {"command": "python manage.py serve", "environment": {}}}) as parent:
        parent.follow()

    Each gets SIGTERM alone and stops its own children: a Celery worker finishes its messages.
    """

    def __init__(self, starts: Mapping[str, Start], pids: Path | None = None) -> None:
        """
        Args:
            starts: how each process is started, by its name.
            pids: a folder that has each process's id in a file of its name while it runs.
        """
        self._starts = starts
        self._pids = pids
        self._prefixes = prefixes(list(starts))
        # Not epoll, whose file a fork would share.
        self._poll = select.poll()
        self._lines: dict[int, Lines] = {}
        #: By the file descriptor that tells of its end: pidfd_open(2).
        self._children: dict[int, Child] = {}
        #: Of each process that ran once, how often in a row it ended soon after its start.
        self._soon_ends: dict[str, int] = {}

    def follow(self) -> None:
        """Start all, and print their lines until a process cannot run.

        One that ran and died is started again, and one that somebody stopped stays stopped.

        Raises:
            CannotRun: a process failed right after its start.
            Forked: in each child.
        """
        for name in self._starts:
            self._start(name)
        while True:
            for child, exit_code in self._wait():
                self._take_end(child, exit_code)

    def _take_end(self, child: Child, exit_code: int) -> None:
        name = child.name
        if exit_code in STOPPED:
            say(STAYS.format(name=name, command=self._starts[name]["command"]))
            return
        if time.monotonic() - child.started_at >= STEADY_SECONDS:
            self._soon_ends[name] = 0
        else:
            # One that never ran, by a wrong setting for example, will not run at the next start.
            self._soon_ends[name] = self._soon_ends.get(name, SOON_ENDS) + 1
        if self._soon_ends[name] > SOON_ENDS:
            raise CannotRun(
                f"{name} ended with exit code {exit_code}, so everything was stopped. "
                f"Its lines above, marked `{name}`, say why."
            )
        say(f"{name} ended with exit code {exit_code}. It is started again.")
        self._start(name)

    def _start(self, name: str) -> None:
        start = self._starts[name]
        reading, writing = os.pipe()
        pid = fork(start["command"], {**os.environ, **start["environment"]}, writing)
        os.close(writing)
        self._lines[reading] = Lines(reading, self._prefixes[name])
        end = os.pidfd_open(pid)
        self._children[end] = Child(name, pid, time.monotonic())
        if self._pids is not None:
            self._pids.mkdir(parents=True, exist_ok=True)
            (self._pids / name).write_text(f"{pid}\n")
        for file in (reading, end):
            self._poll.register(file, select.POLLIN)

    def _wait(self, seconds: float | None = None) -> list[tuple[Child, int]]:
        """Wait for lines, which are printed, and for processes that end, which are returned."""
        ready = self._poll.poll(None if seconds is None else seconds * 1000)
        # What a process said last stands before the news of its end.
        for file, _ in ready:
            if file in self._lines and not self._lines[file].pass_on():
                self._forget(file)
                del self._lines[file]
        return [self._reap(file) for file, _ in ready if file in self._children]

    def _reap(self, file: int) -> tuple[Child, int]:
        self._forget(file)
        child = self._children.pop(file)
        # What it leaves behind ends with it, as systemd has it with KillMode=mixed.
        os.killpg(child.pid, signal.SIGKILL)
        if self._pids is not None:
            # Before its id can become another's.
            (self._pids / child.name).unlink(missing_ok=True)
        _, status = os.waitpid(child.pid, 0)
        return child, os.waitstatus_to_exitcode(status)

    def _forget(self, file: int) -> None:
        self._poll.unregister(file)
        os.close(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, Forked):
            return
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while self._children and (left := deadline - time.monotonic()) > 0:
            self._wait(left)
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        """SIGTERM goes to the process alone, SIGKILL to its children too."""
        for child in self._children.values():
            with suppress(ProcessLookupError):
                os.killpg(child.pid, number) if number == signal.SIGKILL else os.kill(
                    child.pid, number
                )
