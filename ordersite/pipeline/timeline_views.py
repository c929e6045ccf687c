"""`GET /orders/{orderId}/timeline`, and the same as server-sent events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pymongo
from django.http import HttpResponse, StreamingHttpResponse
from pymongo.errors import PyMongoError
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from orders.views import find
from ordersite.access.authentication import still
from ordersite.pipeline import operations
from ordersite.pipeline.stream_places import StreamPlaces
from ordersite.pipeline.timeline import as_json, digest, timeline
from runtime.requests.caller import Caller, Unauthenticated, caller_of
from runtime.requests.deadline import ANSWER_SECONDS

#: A stream ends after this and its client comes back, as each holds one of the server's threads.
STREAM_SECONDS = 60.0
POLL_SECONDS = 0.5
#: Proxies cut a connection on which nothing is heard.
HEARTBEAT_SECONDS = 10.0
#: How long a client waits before it comes back.
RETRY_MILLISECONDS = 2_000

#: A stream that has none gets what is new and comes back: polling, in the same format.
_places = StreamPlaces()


class TimelineView(APIView):
    """Every step of every service about one order."""

    scopes = {"GET": "orders:read"}
    operations = {"GET": operations.TIMELINE}

    def get(self, request: Request, order_id: str) -> HttpResponse:
        return HttpResponse(snapshot(order_id, caller_of(request)), content_type="application/json")


class TimelineEventsView(APIView):
    """The timeline at once and after every change.

    Each event is the whole timeline, and its id says what it shows. So a client that comes back
    with `Last-Event-ID` misses nothing, and gets nothing twice.
    https://html.spec.whatwg.org/multipage/server-sent-events.html
    """

    scopes = {"GET": "orders:read"}
    operations = {"GET": operations.TIMELINE_EVENTS}

    def get(self, request: Request, order_id: str) -> StreamingHttpResponse:
        caller = caller_of(request)
        with pymongo.timeout(ANSWER_SECONDS):
            find(order_id, caller)
        seen = request.headers.get("Last-Event-ID", "")
        client = request.META["REMOTE_ADDR"] if caller.is_anyone else caller.id
        return StreamingHttpResponse(
            stream(order_id, lambda: still(request), seen, client),
            content_type="text/event-stream",
            # The second is nginx's name for not waiting until its buffer is full.
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )


def snapshot(order_id: str, caller: Caller) -> bytes:
    """The order's timeline as JSON.

    Raises:
        NotFound: there is no such order that the caller may see.
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    with pymongo.timeout(ANSWER_SECONDS):
        return as_json(timeline(find(order_id, caller), is_for_customer=caller.user_id is not None))


def stream(order_id: str, still: Callable[[], Caller], seen: str, client: str) -> Iterator[bytes]:
    """The events that a client gets who has seen the event with the id `seen`.

    `still` tells who that is at each moment, or that its key has ended; `client` is what its
    streams are counted by.
    """
    yield b"retry: %d\n\n" % RETRY_MILLISECONDS
    has_place = _places.take(client)
    try:
        yield from changes(order_id, still, seen, STREAM_SECONDS if has_place else 0)
    except PyMongoError:
        yield b": the database does not answer; come back\n\n"
    except (Unauthenticated, NotFound):
        yield b": the key or the order is gone\n\n"
    finally:
        if has_place:
            _places.give_back(client)


def changes(
    order_id: str, still: Callable[[], Caller], seen: str, seconds: float
) -> Iterator[bytes]:
    """An event for each change within so many seconds, and heartbeats where there is none."""
    end = time.monotonic() + seconds
    quiet_since = time.monotonic()
    while True:
        data = snapshot(order_id, still())
        if (id_ := digest(data)) != seen:
            seen, quiet_since = id_, time.monotonic()
            yield b"id: %s\nevent: timeline\ndata: %s\n\n" % (id_.encode(), data)
        elif time.monotonic() - quiet_since >= HEARTBEAT_SECONDS:
            quiet_since = time.monotonic()
            yield b": still there\n\n"
        if time.monotonic() >= end:
            return
        time.sleep(POLL_SECONDS)
