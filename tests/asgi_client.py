"""A client of the site's ASGI application, as a server would call it, with no server between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping
from functools import cache, partialmethod
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import unquote

import uvloop
from django.http import HttpResponse

T = TypeVar("T")


@cache
def server_loop() -> asyncio.AbstractEventLoop:
    """The one loop that the application runs on, as in a server; callers are in any thread."""
    loop = uvloop.new_event_loop()
    Thread(target=loop.run_forever, daemon=True).start()
    return loop


def run_as_server(work: Coroutine[Any, Any, T]) -> T:
    """Run it on the server's loop; the test's own thread may have one already (Playwright's)."""
    return asyncio.run_coroutine_threadsafe(work, server_loop()).result()


class AsgiClient:
    """Speaks as Django's test client does, as far as the tests of both ways need it."""

    def __init__(self) -> None:
        # Only now does Django know its settings.
        from ordersite.asgi import application

        self._application = application

    def request(
        self,
        method: str,
        path: str,
        data: str | bytes = b"",
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        body = data.encode() if isinstance(data, str) else data
        sent_headers = request_headers(body, content_type, headers or {})
        return run_as_server(self._answer(method, path, body, sent_headers))

    get = partialmethod(request, "GET")
    post = partialmethod(request, "POST")
    put = partialmethod(request, "PUT")
    patch = partialmethod(request, "PATCH")
    delete = partialmethod(request, "DELETE")

    async def _answer(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> HttpResponse:
        events: list[dict[str, Any]] = []
        # In two pieces, as a long body arrives.
        pieces = [body[:10], body[10:]]

        async def receive() -> dict[str, Any]:
            if not pieces:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

        async def send(event: Any) -> None:
            events.append(event)

        await self._application(scope_of(method, path, headers), receive, send)
        return response_of(events)


def request_headers(
    body: bytes, content_type: str | None, headers: Mapping[str, str]
) -> dict[str, str]:
    sent = {"host": "localhost", **headers}
    if content_type is not None:
        sent["content-type"] = content_type
    if "transfer-encoding" not in sent and body:
        sent["content-length"] = str(len(body))
    return sent


def scope_of(method: str, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (name.lower().encode(), value.encode("latin1")) for name, value in headers.items()
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


def response_of(events: list[dict[str, Any]]) -> HttpResponse:
    start, *chunks = events
    content = b"".join(chunk["body"] for chunk in chunks)
    response = HttpResponse(content, status=start["status"])
    del response["Content-Type"]
    for name, value in start["headers"]:
        response[name.decode()] = value.decode()
    response.json = lambda: json.loads(content)
    return response
