"""A WSGI application behind ASGI: what it reads, what it streams, and who hangs up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from tests.asgi_client import run_as_server, scope_of

Event = dict[str, Any]
DISCONNECT = {"type": "http.disconnect"}


def run(
    application: Callable[..., Iterable[bytes]],
    requests: list[Event],
    headers: dict[str, str] | None = None,
    until: Callable[[list[Event]], bool] = lambda sent: False,
    sent: list[Event] | None = None,
    method: str = "POST",
) -> list[Event]:
    """What the application sends; the client hangs up once `until` is true of that."""
    from ordersite.web.in_threads import InThreads

    sent = [] if sent is None else sent
    received = iter(requests)

    async def receive() -> Event:
        if event := next(received, None):
            return event
        while not until(sent):
            await asyncio.sleep(0.001)
        return DISCONNECT

    async def send(event: Any) -> None:
        sent.append(event)

    async def answer() -> None:
        await asyncio.wait_for(InThreads(application)(scope, receive, send), timeout=10)

    scope = scope_of(method, "/", headers or {})
    run_as_server(answer())
    return sent


def part(body: bytes, more: bool = False) -> Event:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_is_read_line_by_line_however_it_arrives():
    lines: list[bytes] = []

    def application(environ: Any, start_response: Any) -> list[bytes]:
        lines.extend(environ["wsgi.input"])
        start_response("200 OK", [("X-Lines", str(len(lines)))])
        return [b"read"]

    parts = [part(b"on", more=True), part(b"", more=True), part(b"e\ntwo\n", more=True), part(b"3")]
    start, *_ = run(application, parts, {"content-length": "9"})

    assert lines == [b"one\n", b"two\n", b"3"]
    assert (start["status"], start["headers"]) == (200, [(b"x-lines", b"3")])


def test_a_client_that_hangs_up_in_its_body_is_not_heard():
    asked: list[Any] = []

    sent = run(
        lambda environ, _: asked.append(environ) or [],
        [part(b"half", more=True)],
        {"content-length": "8"},
        lambda _: True,
    )

    assert sent == asked == []


def test_an_endless_stream_ends_when_the_client_hangs_up():
    closed: list[bool] = []

    def beats() -> Iterator[bytes]:
        try:
            while True:
                yield b"beat"
        finally:
            closed.append(True)

    def application(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        return beats()

    sent = run(application, [part(b"")], until=lambda sent: len(sent) > 5)

    assert [event["body"] for event in sent[1:5]] == [b"beat"] * 4
    assert closed == [True]


def test_the_head_of_a_stream_does_not_wait_for_its_end():
    began: list[bool] = []
    closed: list[bool] = []

    class Beats:
        def __iter__(self) -> Iterator[bytes]:
            began.append(True)
            yield b"beat"

        def close(self) -> None:
            closed.append(True)

    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return Beats()

    start, end = run(application, [part(b"")], method="HEAD")

    assert (start["status"], end["body"], end.get("more_body")) == (200, b"", None)
    assert (began, closed) == ([], [True])


def test_a_stream_that_fails_is_closed_and_is_never_taken_for_complete():
    sent: list[Event] = []
    closed: list[bool] = []

    def failing() -> Iterator[bytes]:
        try:
            yield b"first"
            raise RuntimeError("the rest is lost")
        finally:
            closed.append(True)

    def application(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        return failing()

    with pytest.raises(RuntimeError, match="the rest is lost"):
        run(application, [part(b"")], sent=sent)

    assert [event.get("more_body") for event in sent] == [None, True]
    assert closed == [True]


@pytest.mark.parametrize(
    ("content_type", "is_completed"), [("text/event-stream", True), ("text/csv", False)]
)
def test_a_server_that_stops_ends_a_stream_of_events_and_cuts_off_others(
    content_type: str, is_completed: bool
) -> None:
    from ordersite.web.in_threads import InThreads

    sent: list[Event] = []

    def beat(seconds: float) -> bytes:
        time.sleep(seconds)
        return b"beat"

    def quiet(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", content_type)])
        return map(beat, [0, 0.2])

    async def receive() -> Event:
        await asyncio.sleep(60)
        return DISCONNECT

    async def send(event: Any) -> None:
        sent.append(event)

    async def stop() -> None:
        answer = asyncio.create_task(InThreads(quiet)(scope_of("GET", "/", {}), receive, send))
        while len(sent) < 2:
            await asyncio.sleep(0.001)
        answer.cancel()
        await asyncio.wait([answer])
        assert answer.cancelled() is not is_completed

    run_as_server(stop())

    last = {"type": "http.response.body", "body": b""}
    assert (sent[-1] == last) is is_completed
