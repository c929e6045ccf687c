"""A request that asks for another protocol is read as one of HTTP/1.1, with all of its body."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any

import pytest

from tests.raw_http import ANSWER_SECONDS, ask, served

#: As Java's client and `curl --http2` send it with their first request.
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
WEBSOCKET = (
    b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
)
BODY = b'{"userId": 101, "items": ["book"]}'
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the path and the body."""
    body, event = b"", {"more_body": True}
    while event.get("more_body"):
        event = await receive()
        body += event.get("body", b"")
    said = scope["path"].encode() + b" " + body
    length = (b"content-length", b"%d" % len(said))
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": said})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(echo) as listening:
        yield listening


def post(headers: bytes, body: bytes) -> bytes:
    length = b"Content-Length: %d\r\n\r\n" % len(body)
    return b"POST /orders HTTP/1.1\r\nHost: localhost\r\n" + headers + length + body


@pytest.mark.parametrize("headers", [H2C, WEBSOCKET, b"Upgrade: h2c\r\nConnection: upgrade\r\n"])
@pytest.mark.parametrize("body", [BODY, HIDDEN, b""])
def test_its_body_is_read(port: int, headers: bytes, body: bytes) -> None:
    assert ask(port, post(headers, body))[::2] == (200, b"/orders " + body)


@pytest.mark.parametrize("parts", [3, 40])
def test_it_may_come_in_parts_and_another_one_behind_it(port: int, parts: int) -> None:
    request = post(H2C, BODY)
    with socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        for start in range(0, len(request), len(request) // parts):
            connection.sendall(request[start : start + len(request) // parts])
        assert answer(connection) == b"/orders " + BODY
        connection.sendall(post(b"", BODY) + HIDDEN)
        assert answer(connection) == b"/orders " + BODY


def test_without_a_body_it_is_read_too(port: int) -> None:
    get = b"GET /orders HTTP/1.1\r\nHost: localhost\r\n" + H2C + b"\r\n"
    assert ask(port, get).body == b"/orders "


def test_it_has_the_bounds_of_every_request(port: int) -> None:
    assert ask(port, post(H2C + b"A: " + b"x" * 33_000 + b"\r\n", BODY)).status == 431
    assert ask(port, post(H2C + b"A: x\r\n" * 101, BODY)).status == 431
    for target in (b"localhost:443", b"/orders"):
        assert (
            ask(port, b"CONNECT " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 400
        )


def answer(connection: socket.socket) -> bytes:
    response = HTTPResponse(connection)
    response.begin()
    return response.read()
