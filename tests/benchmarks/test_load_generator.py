"""The load generator counts what clients see, against a server that answers as told."""

from __future__ import annotations

import http.server
from collections.abc import Iterator
from threading import Thread

import pytest

from benchmarks.load_generator import Load, complete_status, percentile_ms
from benchmarks.workload import order_bodies


class Server(http.server.ThreadingHTTPServer):
    """Answers every tenth order with 503, and hangs up instead of answering every seventh."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: list[bytes] = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    #: An answer is one packet, which TCP does not keep back.
    wbufsize = -1
    server: Server

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        number = len(self.server.bodies)
        if number % 7 == 0:
            self.close_connection = True
            return
        answer = b'{"order": {}}'
        self.send_response(503 if number % 10 == 0 else 201)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()


def load(server: Server, orders: int) -> Load:
    return Load("127.0.0.1", server.server_port, order_bodies(orders, seed=1))


def test_every_order_is_sent_once_and_its_answer_counted(server):
    report = load(server, 60).run(connections=1, seconds=30)
    assert sorted(server.bodies) == sorted(order_bodies(60, seed=1))
    assert report.errors == {"connection lost": 8, "HTTP 503": 6}
    assert report.placed == 60 - 8 - 6
    assert 0 < report.p50_ms <= report.p99_ms
    assert report.posts_per_second == pytest.approx(report.placed / report.seconds)


def test_connections_share_the_orders(server):
    report = load(server, 50).run(connections=8, seconds=30)
    assert len(server.bodies) == 50
    assert report.placed + sum(report.errors.values()) == 50


def test_a_load_stops_when_its_time_is_over(server):
    report = load(server, 20_000).run(connections=2, seconds=0.2)
    assert 0 < report.placed < 20_000
    assert report.seconds < 5


@pytest.mark.parametrize(
    ("received", "status"),
    [
        (b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}", 201),
        (b"HTTP/1.1 201 Created\r\ncontent-length:2\r\n\r\n{", None),
        (b"HTTP/1.1 201 Created\r\nContent-Le", None),
        (b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 503),
        (b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}", None),
    ],
)
def test_a_response_counts_when_it_is_complete(received, status):
    assert complete_status(received) == status


def test_percentiles():
    latencies = [n / 1000 for n in range(1, 101)]
    assert percentile_ms(latencies, 50) == pytest.approx(51)
    assert percentile_ms(latencies, 99) == pytest.approx(100)
    assert percentile_ms([], 99) == 0
