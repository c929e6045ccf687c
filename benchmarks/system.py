"""A contender at work: its processes, what they have done, and whether they did it right."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from bson import ObjectId
from pymongo.collection import Collection

from benchmarks.contender import Contender
from benchmarks.faithfulness import check
from benchmarks.services import Ground, Services
from localservices.forked import ForkedProcess, fork_server
from localservices.pipeline import process_environment
from localservices.ports import free_port
from localservices.process import Process

READY_SECONDS = 60
#: How long nothing may happen before a run counts as stuck.
STUCK_SECONDS = 60
STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment between two loads."""

    #: Younger than every order before, older than every order after.
    first_order: ObjectId
    stored_effects: int


class RunFailed(Exception):
    """A contender did not start, or stopped working; the text has the end of its logs."""


class System:
    """The processes of one contender on its own ground."""

    def __init__(self, contender: Contender, ground: Ground, logs: Path, copies: int) -> None:
        self.contender = contender
        self.ground = ground
        #: What its clients send; empty where it asks for none.
        self.key = ""
        #: How many processes of each consumer there are.
        self.copies = copies
        self.port = free_port()
        #: By the name of the contender's command.
        self.processes: defaultdict[str, list[Process]] = defaultdict(list)
        #: What clients saw, in all loads together.
        self.placed = self.errors = 0
        self._logs = logs
        self._logins = logs / f"{ground.name}-logins"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Fill the catalogue and run what the contender wants run first."""
        for number, line in enumerate(self.contender.preparations()):
            preparation = self._process(Process, f"prepare-{number}", line, {})
            preparation.start()
            if preparation.wait() != 0:
                raise RunFailed(f"{line} failed:\n{preparation.log_tail()}")
        self.key = self.contender.make_key(self._environment())
        self.ground.database["products"].insert_many(self.contender.products())

    def start(self) -> None:
        """Start every process and wait until all are ready."""
        self.start_all_but_consumers()
        self.start_consumers()

    def start_all_but_consumers(self) -> None:
        commands = self.contender.commands()
        self._start(name for name, each in commands.items() if not each.consumes)
        self.wait_until(self._web_answers, READY_SECONDS)

    def start_one(self, name: str) -> None:
        self._start([name])

    def start_consumers(self) -> None:
        """Start them and wait until each consumes its queue."""
        self.start_consumers_without_waiting()
        for each in self.contender.commands().values():
            if each.consumes:
                self.wait_until(partial(self._is_consumed, each.consumes), READY_SECONDS)

    def start_consumers_without_waiting(self) -> None:
        commands = self.contender.commands()
        self._start((name for name, each in commands.items() if each.consumes), self.copies)

    def topmost(self) -> list[int]:
        """The processes that, with those below them, are all of it."""
        if self.contender.forked:
            return [fork_server().pid]
        return [each.pid for processes in self.processes.values() for each in processes]

    def stop(self) -> None:
        for processes in reversed(self.processes.values()):
            for process in processes:
                process.stop(STOP_SECONDS)

    def has_begun(self) -> bool:
        """Tell whether there are reservations and invoices."""
        return all(each.estimated_document_count() for each in self._effects())

    def mark(self) -> Mark:
        """Remember what is there now, while nothing happens, to count what comes later."""
        # An ObjectId begins with its second: the next one separates the orders.
        next_second = int(time.time()) + 1
        time.sleep(next_second - time.time())
        first_order = ObjectId.from_datetime(datetime.fromtimestamp(next_second, UTC))
        return Mark(first_order, self._stored_effects())

    def wait_until(
        self, reached: Callable[[], Any], seconds: float = STUCK_SECONDS, pause: float = 0.02
    ) -> None:
        """Poll until `reached()`, as long as every process lives.

        Raises:
            RunFailed: not within so many seconds, or a process has ended.
        """
        deadline = time.monotonic() + seconds
        while not reached():
            self._require_all_running()
            if time.monotonic() > deadline:
                raise RunFailed(f"{self.contender.name} is stuck.\n{self._log_tails()}")
            time.sleep(pause)

    def wait_for_effects(self, mark: Mark, count: int) -> None:
        """Wait until so many orders since the mark have both effects."""
        # MongoDB's own count takes no time, but has effects in it that are not committed yet.
        while (stored := self._stored_effects()) < mark.stored_effects + count:
            self.wait_until(lambda: self._stored_effects() > stored)
        self.wait_until(lambda: self.effects_since(mark) >= count)

    def effects_since(self, mark: Mark) -> int:
        """How many orders since the mark have both effects."""
        since = {"_id": {"$gt": str(mark.first_order)}}
        return min(each.count_documents(since) for each in self._effects())

    def wait_for_confirmed(self, mark: Mark) -> None:
        """Wait until no order since the mark waits for its status."""
        confirmed = self.contender.are_all_confirmed
        self.wait_until(lambda: confirmed(self.ground.database, mark.first_order))

    def check(self) -> int:
        """Check the effects of all orders that were placed; return how many orders that were.

        Raises:
            Unfaithful: an order lacks an effect, or has one twice.
        """
        return check(self.ground.database, self.placed, self.errors)

    def _effects(self) -> list[Collection[dict[str, Any]]]:
        return [self.ground.database[name] for name in ("reservations", "invoices")]

    def _stored_effects(self) -> int:
        return min(each.estimated_document_count() for each in self._effects())

    def _is_consumed(self, queue: str) -> bool:
        return self.ground.queue(queue)[1] >= self.copies

    def _start(self, names: Iterable[str], copies: int = 1) -> None:
        kind = ForkedProcess if self.contender.forked else Process
        for name in names:
            line = self.contender.commands()[name].line
            own = self.contender.own_settings(name, self._logins)
            for copy in range(copies):
                settings = {**own, "COPY": str(copy)}
                process = self._process(kind, f"{name}-{copy}", line, settings)
                process.start()
                self.processes[name].append(process)

    def _process(
        self, kind: type[Process], name: str, line: str, own: Mapping[str, str]
    ) -> Process:
        environment = {**self._environment(), **own}
        log = self._logs / f"{self.ground.name}-{self.contender.name}-{name}.log"
        log.unlink(missing_ok=True)
        command = ["sh", "-c", f"exec {line}"]
        return kind(name, command, log, environment, self.contender.folder)

    def _environment(self) -> dict[str, str]:
        return {
            **process_environment(),
            **self.contender.environment,
            **self.ground.environment,
            "WEB_PORT": str(self.port),
            "LOGINS": str(self._logins),
        }

    def _web_answers(self) -> bool:
        with suppress(OSError, HTTPException):
            connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
            connection.request("GET", "/")
            return connection.getresponse().status > 0
        return False

    def _require_all_running(self) -> None:
        for processes in self.processes.values():
            for process in processes:
                if not process.running:
                    raise RunFailed(f"{process.name} ended.\n{process.log_tail()}")

    def _log_tails(self) -> str:
        everyone = (process for processes in self.processes.values() for process in processes)
        return "\n".join(f"--- {each.name}\n{each.log_tail(10)}" for each in everyone)


@contextmanager
def prepared(
    contender: Contender, services: Services, logs: Path, copies: int = 1
) -> Iterator[System]:
    """A contender on fresh ground, nothing of it started yet; all of it ends afterwards."""
    with services.ground() as ground:
        system = System(contender, ground, logs, copies)
        try:
            system.prepare()
            yield system
        finally:
            system.stop()


@contextmanager
def running(
    contender: Contender, services: Services, logs: Path, copies: int = 1
) -> Iterator[System]:
    """A contender on fresh ground, all of it ready for orders."""
    with prepared(contender, services, logs, copies) as system:
        system.start()
        yield system
