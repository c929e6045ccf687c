"""The web server as it is, in this process, and a client that sends it any bytes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPResponse
from typing import Any, NamedTuple

import uvicorn

from ordersite.web.server import options
from tests.asgi_client import server_loop

ANSWER_SECONDS = 60


class Answer(NamedTuple):
    """What came back; without an answer the status is 0."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


NO_ANSWER = Answer(0, [], b"")


@contextmanager
def served(application: Any, trusted_proxies: Sequence[str] = ()) -> Iterator[int]:
    """Serve the application as `manage.py serve` does; yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(application, lifespan="off", **options(trusted_proxies))
        server = uvicorn.Server(config)
        serving = asyncio.run_coroutine_threadsafe(server.serve([listening]), server_loop())
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            serving.result(ANSWER_SECONDS)


def ask(port: int, request: bytes) -> Answer:
    """Send these bytes, then nothing more, and read the first answer to them."""
    with socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS) as connection:
        with suppress(OSError):
            connection.sendall(request)
        response = HTTPResponse(connection, method=request.partition(b" ")[0].decode("latin1"))
        try:
            response.begin()
            return Answer(response.status, response.getheaders(), response.read())
        except (OSError, HTTPException):
            return NO_ANSWER
        finally:
            response.close()


def hang_up_after(port: int, request: bytes) -> Answer:
    """Send these bytes, say that no more will come, and read what the server still says."""
    with socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        response = HTTPResponse(connection)
        try:
            response.begin()
            return Answer(response.status, response.getheaders(), response.read())
        except (OSError, HTTPException):
            return NO_ANSWER
        finally:
            response.close()
