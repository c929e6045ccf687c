"""The load generator: places orders over kept-alive connections, each sending one at a time.

    python -m benchmarks.load_generator http://127.0.0.1:8000 --connections 32 --orders 5000

One process around one `select`, with every request formatted before the clock starts, so that it
takes little of the machine that it measures. It prints what it saw as JSON.
"""

from __future__ import annotations

import argparse
import gc
import json
import re
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from benchmarks.workload import order_bodies

#: How long an answer is waited for after the last request, before it counts as an error.
PATIENCE_SECONDS = 30
RECEIVE_BYTES = 65_536
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Connection:
    """One client that waits for each answer before it sends the next order."""

    socket: socket.socket
    received: bytes = b""
    sent_at: float = 0.0
    is_waiting: bool = False


@dataclass(slots=True)
class Seen:
    """What the clients have seen."""

    latencies_seconds: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Report:
    """What a load was answered with; the latencies are those of the orders placed."""

    connections: int
    placed: int
    #: How many times each error was met: "HTTP 503", "connection lost", "no answer".
    errors: dict[str, int]
    #: Seconds since 1970, so that another process can go on counting from the first POST.
    started_at: float
    seconds: float
    posts_per_second: float
    p50_ms: float
    p99_ms: float


class Load:
    """Sends the requests until there are no more or the time is over."""

    def __init__(self, host: str, port: int, bodies: Iterator[bytes], key: str = "") -> None:
        self._address = (host, port)
        self._requests = iter([_request(host, port, body, key) for body in bodies])
        self._selector = selectors.DefaultSelector()
        self._waiting = 0
        self.seen = Seen()

    def run(self, connections: int, seconds: float) -> Report:
        """Load with so many connections for at most so many seconds."""
        clients = [self._connect() for _ in range(connections)]
        gc.collect()
        gc.disable()
        started_at, started = time.time(), time.perf_counter()
        self._stop_sending_at = started + seconds
        for client in clients:
            self._send_next(client)
        finished = self._answer_all(started)
        return self._report(connections, started_at, finished - started)

    def _answer_all(self, started: float) -> float:
        """Exchange until no answer is awaited; return when the last one came."""
        last_answer = started
        while self._waiting:
            ready = self._selector.select(timeout=1)
            now = time.perf_counter()
            if ready:
                last_answer = now
            elif now > max(self._stop_sending_at, last_answer) + PATIENCE_SECONDS:
                self.seen.errors["no answer"] += self._waiting
                break
            for key, _ in ready:
                self._receive(key.data)
        return last_answer

    def _connect(self) -> Connection:
        client = Connection(socket.create_connection(self._address))
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(client.socket, selectors.EVENT_READ, client)
        return client

    def _send_next(self, client: Connection) -> None:
        client.sent_at = time.perf_counter()
        request = next(self._requests, None) if client.sent_at < self._stop_sending_at else None
        if request is None:
            self._close(client)
            return
        client.received, client.is_waiting = b"", True
        self._waiting += 1
        client.socket.sendall(request)

    def _receive(self, client: Connection) -> None:
        try:
            data = client.socket.recv(RECEIVE_BYTES)
        except ConnectionError:
            data = b""
        if not data:
            self._lost(client)
            return
        client.received += data
        if (status := complete_status(client.received)) is not None:
            self._answered(client, status)

    def _answered(self, client: Connection, status: int) -> None:
        latency_seconds = time.perf_counter() - client.sent_at
        client.is_waiting = False
        self._waiting -= 1
        if status == 201:
            self.seen.latencies_seconds.append(latency_seconds)
        else:
            self.seen.errors[f"HTTP {status}"] += 1
        self._send_next(client)

    def _lost(self, client: Connection) -> None:
        self.seen.errors["connection lost"] += 1
        self._waiting -= client.is_waiting
        self._close(client)
        try:
            self._send_next(self._connect())
        except ConnectionError:
            self.seen.errors["no connection"] += 1

    def _close(self, client: Connection) -> None:
        self._selector.unregister(client.socket)
        client.socket.close()

    def _report(self, connections: int, started_at: float, seconds: float) -> Report:
        placed = len(self.seen.latencies_seconds)
        return Report(
            connections=connections,
            placed=placed,
            errors=dict(self.seen.errors),
            started_at=started_at,
            seconds=seconds,
            posts_per_second=placed / seconds,
            p50_ms=percentile_ms(self.seen.latencies_seconds, 50),
            p99_ms=percentile_ms(self.seen.latencies_seconds, 99),
        )


def complete_status(received: bytes) -> int | None:
    """The status of the one HTTP/1.1 response in `received`; None while it is incomplete."""
    head, end_of_head, body = received.partition(b"\r\n\r\n")
    if not end_of_head:
        return None
    length = CONTENT_LENGTH.search(head)
    complete = len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")
    return int(head[9:12]) if complete else None


def percentile_ms(latencies_seconds: list[float], percent: float) -> float:
    """The latency that so many percent of the answers had at most; 0 without any answer."""
    if not latencies_seconds:
        return 0.0
    ordered = sorted(latencies_seconds)
    return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)] * 1000


def _request(host: str, port: int, body: bytes, key: str) -> bytes:
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    head = (
        f"POST /orders HTTP/1.1\r\nHost: {host}:{port}\r\n{authorization}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def main() -> None:
    """Read the command line, load, and print the report as JSON."""
    program = "python -m benchmarks.load_generator"
    parser = argparse.ArgumentParser(prog=program, description=__doc__)
    parser.add_argument("url", help="where the server is, e.g. http://127.0.0.1:8000")
    parser.add_argument("--connections", type=int, default=32, help="at the same time; %(default)s")
    parser.add_argument("--orders", type=int, default=1_000, help="how many to place at most")
    parser.add_argument("--seconds", type=float, default=60, help="how long to send at most")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same orders")
    parser.add_argument("--key", default="", help="an API key with the scope orders:place")
    asked = parser.parse_args()
    url = urlsplit(asked.url)
    bodies = order_bodies(asked.orders, asked.seed)
    load = Load(url.hostname or "127.0.0.1", url.port or 80, bodies, asked.key)
    print(json.dumps(asdict(load.run(asked.connections, asked.seconds))))


if __name__ == "__main__":
    main()
