"""The pipeline's real processes, started by tests."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from localservices.forked import ForkedProcess, fork_server
from localservices.pipeline import process_environment, procfile
from localservices.ports import free_port
from localservices.process import Process
from tests.polling import eventually

ROOT = Path(__file__).parent.parent


class Processes:
    """Starts processes of the Procfile by name, and ends all of them.

    They are forked by a process that has imported the libraries, as `make run` does it, where
    `as_forks` is true and they are this Python's.

    def test_journey(processes):
        url = processes.start_web()
        processes.start("relay", "inventory", "billing")
    """

    def __init__(self, log_folder: Path, root: Path = ROOT, as_forks: bool = True) -> None:
        self.log_folder = log_folder
        self.as_forks = as_forks and root == ROOT
        #: The checkout whose processes they are.
        self.root = root
        self.web_url = ""
        self._started: list[Process] = []

    def start(self, *names: str, **settings: str) -> list[Process]:
        """Start Procfile entries (`relay`, `billing`, …); `settings` are environment variables."""
        started = [self.run(name, procfile(self.root)[name], **settings) for name in names]
        self.wait_for_workers(started)
        return started

    def start_web(self, **settings: str) -> str:
        """Start the web server on a free port, wait until it answers, and return its URL."""
        port = free_port()
        self.web = web = self.run("web", procfile(self.root)["web"], WEB_PORT=str(port), **settings)
        self.web_url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            assert web.running, f"web ended:\n{web.log_tail()}"
            return _answers(f"{self.web_url}/health/live")

        eventually(answers)
        return self.web_url

    def run(self, name: str, command: str, **settings: str) -> Process:
        """Start any shell command as a process, e.g. `python manage.py tail 'order.*'`."""
        environment = {**process_environment(), **settings}
        forks = self.as_forks and fork_server().can_start(environment)
        process = (ForkedProcess if forks else Process)(
            name,
            ["sh", "-c", f"exec {command}"],
            log=self.log_folder / f"{len(self._started)}-{name}.log",
            env=environment,
            cwd=self.root,
        )
        self._started.append(process)
        process.start()
        return process

    def wait_for_workers(self, started: list[Process]) -> None:
        """Wait until each Celery worker among them consumes its queue."""
        for process in started:
            if "celery" in process.command[-1]:
                eventually(partial(_worker_ready, process))

    def stop(self) -> None:
        """End all of them, at the same time, as each takes its while."""
        with ThreadPoolExecutor(max_workers=16) as threads:
            list(threads.map(lambda process: process.stop(seconds=5), self._started))
        self._started.clear()

    def logs(self) -> Iterator[tuple[str, str]]:
        """The name and the log's tail of each."""
        for process in self._started:
            yield process.name, process.log_tail(lines=200)


def _worker_ready(process: Process) -> bool:
    assert process.running, f"{process.name} ended:\n{process.log_tail()}"
    return " ready." in process.log.read_text(errors="replace")


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=10) as response:
            return bool(response.status == 200)
    except (URLError, OSError):
        return False
