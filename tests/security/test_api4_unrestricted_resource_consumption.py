"""API4:2023: nobody takes what others need: threads, memory, disk, or an answer without end."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.http import HttpResponse

from ordersite.pipeline.stream_places import StreamPlaces
from ordersite.web import body as bodies
from ordersite.web.in_threads import InThreads
from tests.asgi_client import response_of, run_as_server, scope_of
from tests.polling import eventually
from tests.raw_http import ask, served

SECONDS = 10


def head(method: str, path: str, length: int, type_: str = "application/x-ndjson") -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {type_}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


@pytest.fixture(scope="module")
def site() -> Iterator[int]:
    """The site as it is, without MongoDB and RabbitMQ."""
    from ordersite.asgi import application

    with served(application) as port:
        yield port


@pytest.mark.usefixtures("clean")
def test_bodies_that_do_not_come_hold_no_place(site: int) -> None:
    with ExitStack() as waiting:
        for path in ("/orders/import", "/orders", "/admin/login/", "/failed-messages/replay"):
            for _ in range(40):
                client = socket.create_connection(("127.0.0.1", site), timeout=SECONDS)
                waiting.enter_context(client)
                client.sendall(head("POST", path, 1_000, "application/json") + b"{")

        assert ask(site, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 200
        assert ask(site, b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 404
        assert ask(site, b"GET /admin/login/ HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 200


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("path", ["/admin/login/", "/orders", "/failed-messages/replay", "/x"])
def test_a_long_body_is_refused_by_its_length_alone(site: int, path: str) -> None:
    """Nothing of it is read; a client that sends it all the same gets the same answer."""
    long = head("POST", path, 30_000_000, "multipart/form-data; boundary=x")

    for request in (long, long + b"x" * 30_000_000):
        answer = ask(site, request)
        assert answer.status == 413
        assert json.loads(answer.body)["errors"][0]["field"] == "body"


def test_an_import_is_longer_than_others_and_has_a_bound(site: int) -> None:
    assert ask(site, head("POST", "/orders/import", 256 * 1024 * 1024 + 1)).status == 413


def test_streams_have_places_for_several_clients() -> None:
    places = StreamPlaces(most=5, of_a_client=2)

    of_one = [places.take("a") for _ in range(5)]
    of_others = [places.take(client) for client in ("b", "b", "c", "d")]
    places.give_back("a")

    assert of_one == [True, True, False, False, False]
    assert of_others == [True, True, True, False]
    assert [places.take(client) for client in ("e", "f")] == [True, False]


def test_a_body_that_belongs_on_disk_is_none_for_the_fast_path() -> None:
    from ordersite.web.fast_path import has_plain_head

    head = {b"content-type": b"application/json", b"host": b"localhost"}

    assert has_plain_head(head | {b"content-length": b"65536"})
    assert not has_plain_head(head | {b"content-length": b"65537"})


class Slow:
    """A WSGI application whose requests wait until they may end."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self.may_end = threading.Event()

    def __call__(self, environ: Any, start_response: Any) -> HttpResponse:
        if environ["PATH_INFO"] != "/health/live":
            self.running.append(environ["PATH_INFO"])
            self.may_end.wait(SECONDS)
        start_response("200 OK", [])
        return HttpResponse(b"done")


@pytest.fixture
def slow() -> Iterator[Slow]:
    application = Slow()
    yield application
    application.may_end.set()


Ask = Callable[..., "asyncio.Future[Any]"]


def asked(application: InThreads, path: str, client: str, body: bytes = b"") -> Any:
    """The answer to come."""
    events: list[Any] = []
    pieces = [body]

    async def receive() -> Any:
        if not pieces:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": pieces.pop()}

    async def send(event: Any) -> None:
        events.append(event)

    async def answer() -> Any:
        length = {"content-length": str(len(body))} if body else {}
        scope = scope_of("POST", path, length) | {"client": (client, 1)}
        await application(scope, receive, send)
        return response_of(events)

    async def begin() -> Any:
        return asyncio.create_task(answer())

    return run_as_server(begin())


def done(task: Any) -> Any:
    async def wait() -> Any:
        return await asyncio.wait_for(task, SECONDS)

    return run_as_server(wait())


def test_imports_at_work_are_few_and_the_next_one_is_told_when_to_come(slow: Slow) -> None:
    site = InThreads(slow)
    first = [asked(site, "/orders/import", "10.0.0.1", b"x") for _ in range(4)]
    eventually(lambda: len(slow.running) == 2)

    of_the_same = done(asked(site, "/orders/import", "10.0.0.1", b"x"))
    others = [asked(site, "/orders/import", f"10.0.0.{each}", b"x") for each in range(2, 6)]
    one_more = done(asked(site, "/orders/import", "10.0.0.9", b"x"))
    alive = done(asked(site, "/health/live", "10.0.0.1"))
    slow.may_end.set()

    assert (of_the_same.status_code, int(of_the_same["Retry-After"])) == (429, 5)
    assert (one_more.status_code, int(one_more["Retry-After"])) == (503, 1)
    assert alive.status_code == 200
    assert [done(each).status_code for each in (*first, *others)] == [200] * 8


@pytest.mark.parametrize(
    "path", ["/orders", "/orders/import", "/orders/1/events", "/orders/1/invoice.pdf", "/admin/"]
)
def test_whatever_waits_there_are_places_for_health_and_staff(slow: Slow, path: str) -> None:
    site = InThreads(slow)
    waiting = [asked(site, path, f"10.0.0.{each}", b"x") for each in range(200)]
    eventually(lambda: slow.running)

    assert done(asked(site, "/health/live", "10.0.0.1")).status_code == 200
    if path != "/admin/":
        desk = asked(site, "/failed-messages", "10.0.0.1")
        eventually(lambda: "/failed-messages" in slow.running)
        waiting.append(desk)
    slow.may_end.set()
    assert {done(each).status_code for each in waiting} <= {200, 429, 503}


def test_what_waits_on_disk_has_a_bound(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies.Bodies.__init__, "__defaults__", (200_000,))
    site = InThreads(slow)
    first = asked(site, "/orders", "10.0.0.1", b"x" * 150_000)
    eventually(lambda: slow.running)

    assert done(asked(site, "/orders", "10.0.0.2", b"x" * 150_000)).status_code == 503
    small = asked(site, "/orders", "10.0.0.2", b"x" * 1_000)
    eventually(lambda: len(slow.running) == 2)
    slow.may_end.set()
    assert [done(each).status_code for each in (first, small)] == [200, 200]
    assert done(asked(site, "/orders", "10.0.0.1", b"x" * 150_000)).status_code == 200
