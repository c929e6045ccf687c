"""Customers' servers that webhooks are sent to: each keeps what came, and has ways of its own."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

SLOW_SECONDS = 0.5
#: Of the first requests, what an endpoint refuses that fails at times.
FAILING_SHARE = 0.2
#: Longer than the deliverer waits.
HANGING_SECONDS = 12


class Received(NamedTuple):
    """One request."""

    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


#: What a receiver answers to the n-th request with the same id, from 0 on.
Behaviour = Callable[[int], int]


def good(number: int) -> int:
    return 204


def slow(number: int) -> int:
    time.sleep(SLOW_SECONDS)
    return 200


def failing_at_times(number: int) -> int:
    return 500 if number == 0 and random.random() < FAILING_SHARE else 204


def broken(number: int) -> int:
    return 503


def hanging(number: int) -> int:
    time.sleep(HANGING_SECONDS)
    return 204


BEHAVIOURS: dict[str, Behaviour] = {
    each.__name__: each for each in (good, slow, failing_at_times, broken, hanging)
}
#: Those that take everything in the end.
ALIVE = (good.__name__, slow.__name__, failing_at_times.__name__)


class Receivers:
    """One server; each path is a receiver: `/good/3` is the third good one."""

    def __init__(self) -> None:
        #: By path.
        self.received: dict[str, list[Received]] = {}
        self._lock = threading.Lock()
        receivers = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    return  # Its sender was killed meanwhile.
                named = {name.lower(): value for name, value in self.headers.items()}
                number = receivers.keep(self.path, Received(named, body, time.time()))
                self.send_response(BEHAVIOURS[self.path.split("/")[1]](number))
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def keep(self, path: str, request: Received) -> int:
        """Keep the request; returns how many with its id came there before."""
        with self._lock:
            there = self.received.setdefault(path, [])
            before = sum(each.id == request.id for each in there)
            there.append(request)
        return before
