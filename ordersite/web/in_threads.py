"""The site behind a server that speaks ASGI: each request in a thread of its kind's.

Django's own ASGI handler starts a thread for every request to a synchronous view, and with it a
new database connection object; that cost four times what the view did (see the decision on
group commit). Here the threads stay, and Django runs as under any WSGI server.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from typing import IO, Any

from django.http import HttpResponse

from ordersite.web import problems, security_headers
from ordersite.web.body import Bodies, DiskIsFull, Event, HungUp, Receive, most_bytes
from ordersite.web.counts import answered
from ordersite.web.environ import environ_of
from ordersite.web.request_scope import address_of, answer_fields
from ordersite.web.route import ROUTE
from ordersite.web.thread_pools import Busy, BusyWithOne, Places, all_places, asked_for

Send = Callable[[Event], Awaitable[None]]
#: Runs a call in a thread.
InThread = Callable[[Callable[[], Any]], Awaitable[Any]]
WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class InThreads:
    """A WSGI application as an ASGI one."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._places = all_places()
        self._bodies = Bodies()

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        asked = asked_for(scope)
        places = next(each for each in self._places if each.answer(asked))
        client = address_of(scope)
        try:
            # An import is a long body to take for nothing.
            places.check(client)
            async with self._body(scope, receive) as body:
                environ = environ_of(scope, body)
                started: list[Event] = []
                async with places.one(client):
                    respond = partial(self._respond, environ, started)
                    response = await in_thread(places, client, respond)
        except HungUp:
            return
        except BusyWithOne:
            await send_problem(scope, send, problems.too_many_at_once())
            return
        except (Busy, DiskIsFull):
            await send_problem(scope, send, problems.too_busy())
            return
        answered(scope, started[0]["status"], environ.get(ROUTE, ""))
        started[0]["headers"] += answer_fields(scope)
        await send(started[0])
        in_own_thread = partial(in_thread, places, client)
        if isinstance(response, bytes):
            await send({"type": "http.response.body", "body": response})
        elif scope["method"] == "HEAD":
            # Nobody would hear a stream of a minute, and the connection would wait for its end.
            await in_own_thread(partial(close, response))
            await send({"type": "http.response.body", "body": b""})
        else:
            await self._stream(in_own_thread, response, send, receive, is_of_events(started[0]))

    @asynccontextmanager
    async def _body(self, scope: Event, receive: Receive) -> AsyncIterator[IO[bytes]]:
        """The body, whole; empty where `WholeRequest` does not let it pass."""
        if not 0 < declared_bytes(scope) <= most_bytes(scope["path"]):
            yield io.BytesIO()
            return
        body = await self._bodies.take(receive)
        try:
            yield body.file
        finally:
            body.close()

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
        self,
        in_own_thread: InThread,
        response: Iterable[bytes],
        send: Send,
        receive: Receive,
        is_of_events: bool,
    ) -> None:
        """Send chunk after chunk, until the last one or until the client hangs up."""
        hung_up = asyncio.create_task(hang_up(receive))
        try:
            chunks = iter(response)
            while not hung_up.done():
                chunk = await in_own_thread(partial(next, chunks, None))
                if chunk is None:
                    break
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except asyncio.CancelledError:
            # The server stops. Who follows events comes back; no other stream may look complete.
            if not is_of_events:
                raise
            await send({"type": "http.response.body", "body": b""})
        finally:
            hung_up.cancel()
            await in_own_thread(partial(close, response))


async def in_thread(places: Places, client: str, call: Callable[[], Any]) -> Any:
    """Run it in a thread of these places, and count for the client what CPU it takes."""
    # With the request's id, for the logs.
    in_context = partial(copy_context().run, call)
    timed = Timed(in_context)
    try:
        return await asyncio.get_running_loop().run_in_executor(places.threads, timed)
    finally:
        places.usage.add(client, timed.seconds)


class Timed:
    """A call that notes how many seconds of CPU it has taken."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self.seconds = 0.0

    def __call__(self) -> Any:
        began = time.thread_time()
        try:
            return self._call()
        finally:
            self.seconds = time.thread_time() - began


def is_of_events(start: Event) -> bool:
    """Whether it is a stream of server-sent events, which ends at any moment."""
    return any(
        name == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in start["headers"]
    )


async def hang_up(receive: Receive) -> None:
    """Return once the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


def declared_bytes(scope: Event) -> int:
    """How long the body is by its head; -1 where that does not say."""
    fields = dict(scope["headers"])
    length: bytes = fields.get(b"content-length", b"0")
    is_plain = length.isdigit() and b"transfer-encoding" not in fields
    return int(length) if is_plain else -1


async def send_problem(scope: Event, send: Send, response: HttpResponse) -> None:
    """A whole answer that no thread has made."""
    answered(scope, response.status_code)
    start = response_start(str(response.status_code), list(response.items()))
    start["headers"] += [*security_headers.lines(), *answer_fields(scope)]
    await send(start)
    await send({"type": "http.response.body", "body": response.content})


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
