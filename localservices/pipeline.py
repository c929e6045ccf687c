"""The pipeline's processes, run together in one terminal."""

from __future__ import annotations

import os
import queue
import shlex
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self

from honcho import printer, process
from honcho.colour import get_colours
from honcho.environ import parse_procfile

from localservices.process import with_parent

ROOT = Path(__file__).parent.parent
STOP_SECONDS = 15
#: A process that ends sooner after its start cannot run here; one that ran for longer can.
STEADY_SECONDS = 10.0
#: A process that was asked to stop ends with one of these.
STOPPED = (0, -signal.SIGTERM, -signal.SIGINT)
STAYS = (
    "{name} was stopped, and stays so; all others go on. To have it back, in another terminal:\n"
    "  . .venv/bin/activate; {command}"
)
#: Services that run only where the setting of that name says so; each has a Procfile of its own.
OPTIONAL = ("webhooks",)
#: What logs in as the worker that it runs beside.
LOGINS_OF = {"deliverer": "webhooks"}
NO_LOGINS: Mapping[str, Mapping[str, str]] = {}


class Pipeline:
    """Runs processes together and prints their lines, each with its name before it.

    with Pipeline(procfile()) as pipeline:
        pipeline.start()
        name, exit_code = pipeline.follow()

    Each gets SIGTERM alone and stops its own children: a Celery worker finishes its messages.
    """

    def __init__(
        self, commands: Mapping[str, str], logins: Mapping[str, Mapping[str, str]] = NO_LOGINS
    ) -> None:
        #: The shell command of each process by its name.
        self.commands = commands
        #: What each process is told of its own logins, beside our environment.
        self._logins = logins
        self._events: queue.Queue[printer.Message] = queue.Queue()
        self._printer = printer.Printer(sys.stdout, width=max(map(len, commands)), time_format="")
        self._not_started: set[str] = set()
        self._pids: dict[str, int] = {}
        self._started_at: dict[str, float] = {}
        self._colours = dict(zip(commands, get_colours(), strict=False))
        self._ended: list[tuple[str, int]] = []

    def start(self) -> None:
        """Start all; returns when each has its process id."""
        for name in self.commands:
            self._start(name)
        while self._not_started:
            self._take(self._events.get())

    def follow(self) -> tuple[str, int]:
        """Print lines until a process cannot run; return its name and exit code.

        One that ran and died is started again, and one that somebody stopped stays stopped.
        """
        while True:
            while not self._ended:
                self._take(self._events.get())
            name, exit_code = self._ended.pop(0)
            if time.monotonic() - self._started_at[name] < STEADY_SECONDS:
                return name, exit_code
            if exit_code in STOPPED:
                self._print_own(STAYS.format(name=name, command=self.commands[name]))
            else:
                self._print_own(f"{name} ended with exit code {exit_code}. It is started again.")
                self._start(name)

    def _start(self, name: str) -> None:
        environment = {**process_environment(), **self._logins.get(name, {})}
        command, colour = shell_command(self.commands[name]), self._colours[name]
        one = process.Process(command, name=name, colour=colour, env=environment)
        self._started_at[name] = time.monotonic()
        self._not_started.add(name)
        # The kernel ends the process with this thread, which lives as long as the process.
        Thread(target=one.run, args=(self._events,), name=name, daemon=True).start()

    def say(self, text: str) -> None:
        """Print lines of our own between those of the processes; any thread may."""
        self._events.put(printer.Message("line", text, None, None, None))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._signal(signal.SIGTERM)
        self._follow_until_all_ended(within_seconds=STOP_SECONDS)
        self._signal(signal.SIGKILL)

    def _take(self, event: printer.Message) -> None:
        """Print or note one event."""
        if event.type == "line":
            self._print(event)
        elif event.type == "start":
            self._not_started.remove(event.name)
            self._pids[event.name] = event.data["pid"]
        elif event.type == "stop":
            del self._pids[event.name]
            self._ended.append((event.name, event.data["returncode"]))

    def _print(self, line: printer.Message) -> None:
        if line.name is None:
            self._print_own(line.data)
        else:
            self._printer.write(line)

    def _print_own(self, text: str) -> None:
        print(text, flush=True)

    def _follow_until_all_ended(self, within_seconds: float) -> None:
        deadline = time.monotonic() + within_seconds
        while self._pids and time.monotonic() < deadline:
            with suppress(queue.Empty):
                self._take(self._events.get(timeout=0.1))

    def _signal(self, number: signal.Signals) -> None:
        """SIGTERM goes to the process alone, SIGKILL to its children too."""
        for pid in self._pids.values():
            with suppress(ProcessLookupError):
                os.killpg(pid, number) if number == signal.SIGKILL else os.kill(pid, number)


def procfile(root: Path = ROOT) -> dict[str, str]:
    """The shell command of each process by its name, from the Procfile of the checkout `root`.

    A service that is not in it has a worker like the others.
    """
    commands = lines_of(root / "Procfile")
    for name in service_names(root):
        if name in OPTIONAL:
            commands |= lines_of(root / f"Procfile.{name}")
        elif name not in commands:
            commands[name] = worker_command(name)
    return commands


def lines_of(procfile: Path) -> dict[str, str]:
    """The commands in the file by the names of their processes."""
    return dict(parse_procfile(procfile.read_text()).processes)


def service_names(root: Path = ROOT) -> list[str]:
    """The services that run: a setting may turn one on."""
    return [name for name in service_packages(root) if name not in OPTIONAL or is_on(name)]


def service_packages(root: Path = ROOT) -> list[str]:
    """The packages that declare a service, whether it runs or not."""
    files = sorted(root.glob("*/service.py"))
    return [file.parent.name for file in files if (file.parent / "apps.py").exists()]


def is_on(optional: str) -> bool:
    """Whether the setting of this name turns the service on."""
    return os.environ.get(optional.upper(), "").lower() in ("true", "1", "yes", "on")


def worker_command(service: str) -> str:
    return f"celery --quiet -A celery_app worker -Q {service} -n {service}@%h --concurrency 2"


def shell_command(command: str) -> str:
    """A Procfile command whose shell becomes the program, and which dies when we die."""
    return f"exec {shlex.join(with_parent([]))} {command}"


def process_environment() -> dict[str, str]:
    """The environment of a process: ours, with this Python's programs first on the PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"}
