"""The pipeline's processes as the Procfile has them, several workers of each service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil

from drills.cluster.release import THIS, Release
from drills.waiting import wait_until
from localservices.pipeline import process_environment, procfile, service_names
from localservices.process import Process

WORKERS_OF_A_SERVICE = 2
READY_SECONDS = 180
STOP_SECONDS = 40

#: In the command of each service's worker.
WORKER = "celery_app worker"

SERVICES = tuple(service_names())


class Pipeline:
    """Every process under its name: `web`, `relay`, `billing-1`, `billing-2` …"""

    def __init__(
        self, environments: Mapping[str, Mapping[str, str]], logs: Path, release: Release = THIS
    ) -> None:
        """`environments` has the settings of each process."""
        self.processes = {
            name: Process(name, [], logs / f"{name}.log", {**process_environment(), **environment})
            for name, environment in environments.items()
        }
        for name in self.processes:
            self.become(name, release)
        self._web_port = int(environments["web"]["WEB_PORT"])

    def __getitem__(self, name: str) -> Process:
        return self.processes[name]

    def become(self, name: str, release: Release, **settings: str) -> None:
        """Let the process be this release's from its next start on, with further settings."""
        process = self[name]
        line = procfile(release.root)[kind_of(name)].replace("@%h", f"-{name}@%h")
        process.command, process.cwd = _shell(line), release.root
        process.env = {**(process.env or {}), **release.environment, **settings}

    def add(self, name: str, command: str, like: str, cwd: Path) -> None:
        """Have one more process, not started yet, with the settings of the one that it is like."""
        environment, log = self[like].env, self[like].log.with_name(f"{name}.log")
        self.processes[name] = Process(name, _shell(command), log, environment, cwd)

    def start(self, names: Iterable[str] = ()) -> None:
        """Start these, or all, and wait until each is ready.

        Raises:
            TookTooLong: one was not ready in time; the text has its log's end.
        """
        names = list(names) or list(self.processes)
        for name in names:
            self[name].start()
        for name in names:
            self.wait_until_ready(name)

    def wait_until_ready(self, name: str) -> None:
        """Web answers, a worker consumes; of the others nothing is known from outside."""
        if name == "web":
            wait_until(self._web_answers, READY_SECONDS, f"Starting web\n{self[name].log_tail()}")
        elif WORKER in self[name].command[-1]:
            log = self[name].log_since_start
            wait_until(lambda: " ready." in log(), READY_SECONDS, f"Starting {name}")

    def stop(
        self, names: Iterable[str] = (), within_seconds: float = STOP_SECONDS
    ) -> dict[str, int | None]:
        """End these, or all, at the same time; returns their exit codes."""
        names = list(names) or list(self.processes)
        with ThreadPoolExecutor(len(names)) as threads:
            codes = threads.map(lambda name: self[name].stop(within_seconds), names)
            return dict(zip(names, codes, strict=True))

    def kill(self) -> None:
        """End all of them at once."""
        for process in self.processes.values():
            process.kill()

    def heal(self) -> None:
        """Thaw and start what does not run."""
        for process in self.processes.values():
            with suppress(AssertionError):
                process.thaw()
        self.start(name for name, process in self.processes.items() if not process.running)

    def workers(self, service: str) -> list[str]:
        """The names of the service's workers."""
        return [name for name in self.processes if kind_of(name) == service]

    def pids(self) -> dict[str, int]:
        """The process ids of those that run."""
        return {name: each.pid for name, each in self.processes.items() if each.running}

    def kill_main_process(self, name: str) -> None:
        """`kill -9` of this process alone; its children are left to themselves."""
        process = psutil.Process(self[name].pid)
        process.kill()
        with suppress(psutil.TimeoutExpired):
            process.wait(5)

    def pool_children(self, name: str) -> list[psutil.Process]:
        """The processes in which a worker's handlers run."""
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self[name].pid).children()
        return []

    def ended(self) -> list[str]:
        """Those that do not run."""
        return [name for name, process in self.processes.items() if not process.running]

    def _web_answers(self) -> bool:
        with suppress(OSError, HTTPException):
            connection = HTTPConnection("127.0.0.1", self._web_port, timeout=2)
            connection.request("GET", "/health/live")
            return connection.getresponse().status == 200
        return False


def names() -> list[str]:
    """Every process of a drill."""
    return [
        f"{kind}-{copy}" if copies > 1 else kind
        for kind in procfile()
        for copies in [WORKERS_OF_A_SERVICE if kind in SERVICES else 1]
        for copy in range(1, copies + 1)
    ]


def kind_of(name: str) -> str:
    """The Procfile's name of a process."""
    return name.partition("-")[0]


def _shell(line: str) -> list[str]:
    return ["sh", "-c", f"exec {line}"]
