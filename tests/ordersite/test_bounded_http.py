"""The web server reads a request within bounds, and stands still for nobody."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ordersite.web import bounded_http, security_headers
from tests.raw_http import Answer, ask, served

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /read HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
UNREAD = CHUNKED.replace(b"/read", b"/")
MIB = 1024 * 1024
#: What the tests make of time-outs of many seconds.
SHORT_SECONDS = 0.3

pytestmark = pytest.mark.usefixtures("slow_clients")


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Reads its body where the address says so, and answers, at length where it says so."""
    while scope["path"] == "/read":
        event = await receive()
        if event["type"] == "http.disconnect":
            return
        if not event.get("more_body"):
            break
    body = b"x" * 32 * MIB if scope["path"] == "/long" else b"ok"
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(application) as listening:
        yield listening


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD", "BODY", "WRITE", "LINGER"):
        monkeypatch.setattr(bounded_http, f"{name}_SECONDS", SHORT_SECONDS)
    monkeypatch.setattr(bounded_http, "CHECK_SECONDS", 0.05)


def open_with(port: int, request: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(request)
    return connection


def rest(connection: socket.socket) -> bytes:
    """What comes until the server closes the connection."""
    received = b""
    while data := connection.recv(65536):
        received += data
    return received


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (HEAD + b"A: " + b"x" * 64 * MIB, 431),
        (HEAD + b"A: " + b"x" * 33_000 + b"\r\n\r\n", 431),
        (HEAD + b"A: x\r\n" * 101 + b"\r\n", 431),
        (HEAD + b"A:\r\n" * 60_000 + b"\r\n", 431),
        (b"GET /" + b"x" * 64 * MIB, 431),
        (b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (CHUNKED + b"5;" + b"x" * 40 * MIB, 400),
        (CHUNKED + b"1\r\nx\r\n0\r\nA: " + b"x" * 40 * MIB, 400),
        (CHUNKED + b"1;xxxxxxxxxxxxxx\r\nx\r\n" * 100_000, 400),
        (b"\x16\x03\x01 no HTTP", 400),
    ],
    ids=["header", "long", "many", "short ones", "line", "address", "extension", "trailer",
         "chunks", "TLS"],
)  # fmt: skip
def test_what_is_too_much_is_refused_as_a_problem(
    port: int, request_: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    started = time.monotonic()

    answer = ask(port, request_)

    assert answer.status == status == json.loads(answer.body)["status"]
    assert ("content-type", "application/problem+json") in answer.headers
    for name, value in security_headers.headers().items():
        assert (name.lower(), value) in answer.headers
    assert time.monotonic() - started < 3
    assert "error" not in caplog.text.lower()


def test_a_head_within_its_bounds_is_read(port: int) -> None:
    headers = b"".join(b"A%d: %s\r\n" % (each, b"x" * 300) for each in range(99))

    assert ask(port, HEAD + headers + b"\r\n").status == 200


def test_a_long_body_counts_for_no_head(port: int) -> None:
    body = b"x" * 5 * MIB

    assert ask(port, POST + b"Content-Length: %d\r\n\r\n" % len(body) + body).status == 200


@pytest.mark.parametrize("endless", [UNREAD + b"5;", UNREAD + b"0\r\nA: "])
def test_an_endless_request_that_has_its_answer_is_cut(port: int, endless: bytes) -> None:
    with open_with(port, endless) as connection:
        assert is_cut(connection, b"x" * MIB, times=bounded_http.LINGER_BYTES // MIB + 16)


def test_requests_that_wait_behind_the_first_have_a_bound(port: int) -> None:
    with open_with(port, (HEAD + b"\r\n") * 50) as connection:
        received = b""
        while received.count(b"200 OK") < 50:
            received += connection.recv(65536)

    assert ask(port, (HEAD + b"\r\n") * 10_000).status in (0, 200)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", b""),
        (HEAD, b"408 Request Timeout"),
        (POST + b"Content-Length: 30\r\n\r\nhalf", b"408 Request Timeout"),
        (CHUNKED + b"5\r\nhal", b"408 Request Timeout"),
        (POST.replace(b"/read", b"/") + b"Content-Length: 30\r\n\r\nhalf", b"200 OK"),
        (HEAD + b"\r\n" + HEAD, b"408 Request Timeout"),
    ],
    ids=["nothing", "head", "body", "chunk", "answered", "second head"],
)
def test_who_stops_in_the_middle_is_not_waited_for(
    port: int, impatient: None, sent: bytes, said: bytes
) -> None:
    with open_with(port, sent) as connection:
        assert said in rest(connection)


def test_a_drop_now_and_then_is_not_progress(port: int, impatient: None) -> None:
    with open_with(port, POST + b"Content-Length: 100000\r\n\r\n") as connection:
        assert is_cut(connection, b"x", times=100, pause_seconds=0.02)


def is_cut(connection: socket.socket, data: bytes, times: int, pause_seconds: float = 0.0) -> bool:
    """Whether the server closes the connection while that is sent over and over."""
    try:
        for _ in range(times):
            connection.sendall(data)
            time.sleep(pause_seconds)
    except OSError:
        return True
    return False


def test_who_takes_nothing_of_an_answer_is_not_waited_for(port: int, impatient: None) -> None:
    with open_with(port, HEAD.replace(b"/", b"/long", 1) + b"\r\n") as connection:
        time.sleep(4 * SHORT_SECONDS)
        assert len(rest(connection)) < 32 * MIB


def test_who_reads_slowly_gets_all_of_it(
    port: int, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it is one write of the server, which is not done for longer than anybody may wait."""
    monkeypatch.setattr(bounded_http, "WRITE_SECONDS", 1)
    request = HEAD.replace(b"/", b"/long", 1) + b"Connection: close\r\n\r\n"
    received = 0
    with open_with(port, request) as connection:
        while data := connection.recv(256 * 1024):
            received += len(data)
            time.sleep(0.012)

    assert received > 32 * MIB


def test_a_new_connection_takes_the_place_of_an_idle_one(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_http.BoundedHTTP, "max_connections", 5)
    idle = [open_with(port, b"") for _ in range(8)]

    answers: list[Answer] = [ask(port, HEAD + b"\r\n") for _ in range(3)]

    assert [each.status for each in answers] == [200] * 3
    for each in idle:
        each.close()


def test_beyond_the_most_connections_a_new_one_is_told_so(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_http.BoundedHTTP, "max_connections", 2)
    busy = [open_with(port, POST + b"Content-Length: 9\r\n\r\nhalf") for _ in range(2)]
    time.sleep(0.1)

    answer = ask(port, b"")

    assert (answer.status, ("retry-after", "1") in answer.headers) == (503, True)
    for each in busy:
        each.close()


def test_who_takes_none_of_several_answers_leaves_no_error(
    port: int, impatient: None, caplog: pytest.LogCaptureFixture
) -> None:
    request = HEAD.replace(b"/", b"/long", 1) + b"\r\n"
    with caplog.at_level("ERROR"), open_with(port, request * 5):
        time.sleep(5 * SHORT_SECONDS)

    assert not caplog.records
