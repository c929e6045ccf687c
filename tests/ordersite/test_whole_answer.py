"""The fast path's answer is one write where the server can do that, and the same bytes."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from ordersite.web.fast_path import send_answer
from ordersite.web.request_scope import ANSWER_FIELDS, WRITE_WHOLE
from tests.raw_http import served

REQUEST = b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers at once, or in pieces where the address says so."""
    scope[ANSWER_FIELDS] = ((b"ratelimit", b'"address";r=1;t=1'),)
    if scope["path"] == "/in-pieces":
        del scope[WRITE_WHOLE]
    await send_answer(scope, send, 201, b"application/json", b"{}", (b"location", b"/orders/1"))


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(application) as listening:
        yield listening


def answers(port: int, *requests: bytes) -> bytes:
    """All that comes on one connection; the last request must end it."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"".join(requests))
        received = b""
        while data := connection.recv(65536):
            received += data
    return received


def without_dates(answer: bytes) -> bytes:
    return re.sub(rb"date: [^\r]*\r\n", b"", answer)


def test_the_answer_is_the_same_in_one_piece(port: int) -> None:
    whole, pieces = (
        without_dates(answers(port, REQUEST % path, LAST % path)) for path in (b"/", b"/in-pieces")
    )

    assert whole == pieces
    assert whole.count(b"HTTP/1.1 201 Created") == 2
    assert whole.count(b"connection: close") == 1


def test_requests_that_were_sent_ahead_are_answered_in_turn(port: int) -> None:
    ahead = [REQUEST % b"/"] * 3

    answered = answers(port, *ahead, LAST % b"/")

    assert answered.count(b"HTTP/1.1 201 Created") == 4
