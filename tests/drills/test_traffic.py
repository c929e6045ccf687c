"""Orders come at their pace until the end, and so many of them in any case."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from drills.traffic.clients import CLIENTS, Traffic
from drills.traffic.history import History
from drills.traffic.plan import intentions
from drills.traffic.stock import Stock
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("slow_clients")

STOCK = Stock({f"plenty-{number}": 100 for number in range(4)} | {"scarce": 5})
USERS = range(1, 1_001)
PER_SECOND = 50


class Taker(BaseHTTPRequestHandler):
    """Takes every order."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = json.dumps({"order": {"orderId": f"order-{body.get('userId')}"}}).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: Any) -> None:
        """Nothing."""


@contextmanager
def taker() -> Iterator[int]:
    """The port of a server that takes orders."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history.jsonl")


def traffic(port: int, history: History, least: int, users: range = USERS) -> Traffic:
    plan = intentions(users, PER_SECOND, STOCK, random.Random(1))
    return Traffic(port, plan, history, least)


def placed(history: History) -> set[int]:
    return {each.number for each in history}


def test_orders_come_until_the_end(history: History) -> None:
    with taker() as port:
        flowing = traffic(port, history, least=5)
        flowing.start()
        eventually(lambda: len(placed(history)) > 30)
        flowing.end()
        flowing.wait()

    numbers = placed(history)
    assert 30 < len(numbers) < len(USERS)
    # A client that was about to come at the end may have been overtaken by another.
    assert numbers >= set(range(max(numbers) - CLIENTS))


def test_so_many_come_even_after_the_end(history: History) -> None:
    with taker() as port:
        flowing = traffic(port, history, least=20)
        flowing.start()
        flowing.end()
        flowing.wait()

    assert placed(history) == set(range(20))


def test_those_of_a_fixed_number_are_over_by_themselves(history: History) -> None:
    with taker() as port:
        flowing = traffic(port, history, least=25, users=USERS[:25])
        flowing.start()
        flowing.wait()

    assert placed(history) == set(range(25))


def test_what_could_not_be_asked_is_not_asked_all_at_once(history: History) -> None:
    with taker() as port:
        flowing = traffic(port, history, least=5)
        flowing.start()
        # As if every client had waited for its answers for as long.
        flowing.started_at -= 10
        eventually(lambda: len(placed(history)) > 20)
        flowing.end()
        flowing.wait()

    missed = set(range(max(placed(history)))) - placed(history)
    assert len(missed) > 9 * PER_SECOND - 10
