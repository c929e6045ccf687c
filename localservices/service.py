"""What a local MongoDB and a local RabbitMQ have in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from localservices.errors import ServiceFailed
from localservices.ports import free_port, is_free
from localservices.process import Process

READY_SECONDS = 240
#: How often a start is tried again because another program took a port of it.
ATTEMPTS = 5
#: What programs say of such a port: Linux, Erlang, Docker.
IN_USE = ("address already in use", "eaddrinuse", "port is already allocated")
POLL_SECONDS = 0.05


class Service:
    """A service of this machine that can be started, stopped, killed and frozen.

    Its data stay in `data_folder`: started again there, it goes on with them.
    """

    name: str
    #: What its log says once it listens. A client alone could be answered by another program
    #: that took the same port a moment earlier.
    listening_line: str
    #: The attributes that hold the ports of its clients …
    clients_ports: tuple[str, ...] = ("port",)
    #: … and those of its own.
    own_ports: tuple[str, ...] = ()

    def __init__(self, data_folder: Path) -> None:
        self.data_folder = data_folder
        #: While it has one, its clients' ports may change in a start: it learns of each change.
        self.on_move: Callable[[str], object] | None = None
        self._process: Process | None = None
        self._attempts = 0

    @property
    def url(self) -> str:
        """Where clients reach it."""
        raise NotImplementedError

    def start(self) -> Self:
        """Start it and wait until it serves clients.

        Raises:
            ServiceFailed: it ended, or was not ready in time; the text has its log's tail.
        """
        self.launch()
        self.wait_until_ready()
        return self

    def launch(self) -> None:
        """Start it without waiting, so that several services can start at the same time.

        Raises:
            ServiceFailed: another program listens on one of its ports.
        """
        if self._process is not None and self._process.running:
            return
        self._attempts = 1
        self._launch()

    def _launch(self) -> None:
        self._leave_taken_ports(self.clients_ports if self.on_move else ())
        self._require_free_ports()
        self.data_folder.mkdir(parents=True, exist_ok=True)
        self._process = self._prepare()
        self._process.start()

    def wait_until_ready(self) -> None:
        """Wait until it serves clients; raises as `start` does."""
        deadline = time.monotonic() + READY_SECONDS
        while not (self._listens() and self._is_ready()):
            if not self.process.running and self._lost_a_port() and self._attempts < ATTEMPTS:
                self._attempts += 1
                self._launch()
            elif not self.process.running:
                self._fail(f"ended with exit code {self.process.exit_code} while starting")
            if time.monotonic() > deadline:
                self.kill()
                self._fail(f"was not ready after {READY_SECONDS} seconds")
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End it in an orderly way."""
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()

    def freeze(self) -> None:
        """Keep its connections open and answer nothing."""
        self.process.freeze()

    def thaw(self) -> None:
        """Undo `freeze`."""
        self.process.thaw()

    @property
    def process(self) -> Process:
        """The program behind the service."""
        assert self._process is not None, f"{self.name} was never started"
        return self._process

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _lost_a_port(self) -> bool:
        """Whether it ended because another program listens where it wanted to."""
        log = self.process.log_since_start().lower()
        return any(words in log for words in IN_USE)

    def _leave_taken_ports(self, names: Sequence[str]) -> None:
        for name in names:
            taken: int = getattr(self, name)
            if not is_free(taken):
                setattr(self, name, free_port())
                if self.on_move and name in self.clients_ports:
                    new = getattr(self, name)
                    self.on_move(f"Port {taken} is taken, so {self.name} has port {new} instead.")

    def _require_free_ports(self) -> None:
        ports = [getattr(self, name) for name in self.clients_ports]
        taken = [str(port) for port in ports if not is_free(port)]
        if taken:
            raise ServiceFailed(
                f"{self.name} cannot listen on port {', '.join(taken)}: another program does. "
                "Stop that program, or choose another port."
            )

    def _prepare(self) -> Process:
        """Write what the service needs and return its process, not yet started."""
        raise NotImplementedError

    def _listens(self) -> bool:
        return self.listening_line in self.process.log_since_start()

    def _is_ready(self) -> bool:
        """Whether it serves clients; called until it says so, once it listens."""
        raise NotImplementedError

    def _fail(self, what: str) -> None:
        raise ServiceFailed(
            f"{self.name} {what}. From its log {self.process.log}:\n"
            f"{self._telling_log() or '(it logged nothing)'}"
        )

    def _telling_log(self) -> str:
        """The part of the log that says why it failed."""
        return self.process.log_tail()


def start_together(services: Sequence[Service]) -> None:
    """Start all of them at the same time and wait until each serves clients.

    Raises:
        ServiceFailed: as `Service.start`.
    """
    for service in services:
        service.launch()
    for service in services:
        service.wait_until_ready()
