"""Clients that mean harm, all at once, beside those who place and read orders."""

from __future__ import annotations

import http.client
import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import product
from threading import Event, Thread

from drills.cluster.front import nginx_before
from drills.drill import Drill
from drills.run import Run
from drills.traffic.hostile import all_at_once
from drills.violation import Kind, Violation
from drills.waiting import wait_until

ATTACK_SECONDS = (20, 30)
FIRST_ORDER_SECONDS = 30
#: What nobody else may wait longer for than this.
P99_SECONDS = 1.0
READ_EVERY_SECONDS = 0.1
ANSWER_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Read:
    """Something that a bystander asked for; without an answer the status is 0."""

    path: str
    status: int
    seconds: float


def attack(run: Run) -> None:
    wait_until(lambda: order_ids(run), FIRST_ORDER_SECONDS, "The first order")
    order_id = order_ids(run)[0]
    with ExitStack() as stack:
        front = stack.enter_context(nginx_before(run.site.web_own_port, run.folder))
        paths = (f"/orders/{order_id}", "/orders?limit=20", "/health/live", "/admin/login/")
        asked = product((run.site.web_own_port, front), paths)
        readers = [
            Readers(f"127.0.0.{number}", port, path)
            for number, (port, path) in enumerate(asked, start=2)
        ]
        for each in readers:
            stack.enter_context(each)
        started = time.time()
        with run.faults.during("hostile clients"), ExitStack() as hostile:
            for port, network in ((run.site.web_own_port, "127.0.1"), (front, "127.0.2")):
                addresses = [f"{network}.{number}" for number in range(1, 4)]
                seed = run.chance.randrange(2**32)
                hostile.enter_context(all_at_once(port, addresses, order_id, seed))
            run.wait(*ATTACK_SECONDS)
            ended = time.time()
    placed = [
        Read(f"POST of {each.kind}", each.status or 0, each.seconds)
        for each in run.history
        if started <= each.at <= ended
    ]
    read = [each for readers_ in readers for each in readers_.answers]
    run.seen += [*held_up("placing orders", placed), *held_up("reading", read)]
    run.measured |= {
        "p99 of placing orders meanwhile in s": round(p99(placed), 3),
        "p99 of reading meanwhile in s": round(p99(read), 3),
        "orders and reads meanwhile": len(placed) + len(read),
    }


def order_ids(run: Run) -> list[str]:
    return [each.order_id for each in run.history if each.order_id]


def held_up(what: str, asked: list[Read]) -> Iterator[Violation]:
    """What is wrong with the answers that bystanders had."""
    for each in asked:
        if each.status == 0 or each.status >= 500:
            yield Violation(Kind.ANSWER, f"{each.path} was answered with {each.status}")
    if not asked:
        yield Violation(Kind.ANSWER, f"nobody was {what}")
    elif (seconds := p99(asked)) > P99_SECONDS:
        yield Violation(Kind.ANSWER, f"{what} took {seconds:.2f} s in the 99th percentile")


def p99(asked: list[Read]) -> float:
    ordered = sorted(each.seconds for each in asked)
    return ordered[math.ceil(0.99 * len(ordered)) - 1] if ordered else 0.0


class Readers:
    """A client that asks for the same thing again and again, and notes each answer."""

    def __init__(self, address: str, port: int, path: str) -> None:
        self._address = address
        self._port = port
        self._path = path
        self.answers: list[Read] = []
        self._ended = Event()
        self._thread = Thread(target=self._ask_on, daemon=True)

    def __enter__(self) -> Readers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(2 * ANSWER_SECONDS)

    def _ask_on(self) -> None:
        while not self._ended.wait(READ_EVERY_SECONDS):
            started = time.monotonic()
            status = self._ask()
            self.answers.append(Read(self._path, status, time.monotonic() - started))

    def _ask(self) -> int:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._port, timeout=ANSWER_SECONDS, source_address=(self._address, 0)
        )
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", self._path)
            response = connection.getresponse()
            response.read()
            return response.status
        connection.close()
        return 0


DRILL = Drill(
    name="hostile-clients",
    promises=(1, 8),
    promise="Clients that stall, flood, guess and send for ever hold up no others",
    inject=attack,
    orders=300,
    traffic_seconds=20,
)
