"""The site behind a server that speaks ASGI: each request in a thread of a pool.

Django's own ASGI handler starts a thread for every request to a synchronous view, and with it a
new database connection object; that cost four times what the view did (see the decision on
group commit). Here the threads stay, and Django runs as under any WSGI server.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import (
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
)
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.wsgi import WsgiToAsgiInstance

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

#: Requests that run at the same time; they mostly wait for MongoDB.
THREADS = 32


class InThreads:
    """A WSGI application as an ASGI one."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        body = io.BufferedReader(RequestBody(asyncio.get_running_loop(), receive))
        started: list[Event] = []
        environ = environ_of(scope, body)
        response = await self._in_thread(self._respond, environ, started)
        await send(started[0])
        if isinstance(response, bytes):
            await send({"type": "http.response.body", "body": response})
        else:
            await self._stream(response, send, hang_up(environ, receive))

    def _respond(self, environ: dict[str, Any], started: list[Event]) -> bytes | Iterable[bytes]:
        """Run the application; its whole body, or one that is to be streamed."""

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            started.append(response_start(status, headers))

        response = self._application(environ, start_response)
        # Django's responses know whether they are whole; a file of WhiteNoise's is streamed.
        if getattr(response, "streaming", True):
            return response
        try:
            return b"".join(response)
        finally:
            close(response)

    async def _stream(
        self, response: Iterable[bytes], send: Send, hang_up: Coroutine[Any, Any, None]
    ) -> None:
        """Send chunk after chunk, until the last one or until the client hangs up."""
        hung_up = asyncio.create_task(hang_up)
        try:
            chunks = iter(response)
            while not hung_up.done():
                chunk = await self._in_thread(next, chunks, None)
                if chunk is None:
                    break
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            hung_up.cancel()
            await self._in_thread(close, response)

    async def _in_thread(self, call: Callable[..., Any], *arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, call, *arguments)


class RequestBody(io.RawIOBase):
    """The body of a request, read from the client only as far as the application reads it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, receive: Receive) -> None:
        self._loop = loop
        self._receive = receive
        self._received = memoryview(b"")
        self._has_more = True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._received and self._has_more:
            event = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
            if event["type"] == "http.disconnect":
                raise ConnectionResetError("the client hung up before the end of its request")
            self._received = memoryview(event.get("body", b""))
            self._has_more = event.get("more_body", False)
        taken = self._received[: len(buffer)]
        buffer[: len(taken)] = taken
        self._received = self._received[len(taken) :]
        return len(taken)

    async def _next(self) -> Event:
        return await self._receive()


async def hang_up(environ: Mapping[str, Any], receive: Receive) -> None:
    """Return once the client has closed the connection; never for a request with a body.

    The application may still be reading that, and what is received here is lost to it.
    """
    if "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ:
        await asyncio.Event().wait()
    while (await receive())["type"] != "http.disconnect":
        pass


def environ_of(scope: Event, body: Any) -> dict[str, Any]:
    """The request as WSGI tells it (PEP 3333)."""
    # The server bounds the number of headers itself.
    builder = WsgiToAsgiInstance(None, duplicate_header_limit=0)
    # A client may write bytes in its query that are not ASCII; the builder does not take them.
    builder.scope = {**scope, "query_string": b""}
    environ: dict[str, Any] = builder.build_environ(builder.scope, body)
    environ["QUERY_STRING"] = scope["query_string"].decode("latin1")
    return environ


def response_start(status: str, headers: list[tuple[str, str]]) -> Event:
    return {
        "type": "http.response.start",
        "status": int(status[:3]),
        "headers": [
            (name.lower().encode("latin1"), value.encode("latin1")) for name, value in headers
        ],
    }


def close(response: Iterable[bytes] | Iterator[bytes]) -> None:
    """A response with `close` has to be closed, also when it was not sent to its end."""
    if hasattr(response, "close"):
        response.close()
