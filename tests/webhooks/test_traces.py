"""A webhook is sent in the trace of its order, and names it to the receiver."""

from __future__ import annotations

from typing import Any

import pytest

from messaging.handling import traces as handling
from runtime.tracing import context
from runtime.tracing.context import TraceContext
from tests.traced import Traces
from tests.webhooks.events import ORDER_ID
from tests.webhooks.receivers import Receiver, receiver
from webhooks import managing, tasks, turn, waking
from webhooks.store import Document, deliveries
from webhooks.tasks import note, note_many

pytestmark = pytest.mark.usefixtures("db")

TRACE, SPAN = "a" * 32, "b" * 16
HERE = TraceContext(TRACE, SPAN, is_sampled=True)
OTHER = TraceContext("c" * 32, "d" * 16, is_sampled=False)
TYPE = "order.cancelled"


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    settings.WEBHOOKS = settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True


def endpoint(url: str) -> Document:
    made = managing.create(url, [TYPE], user_id=None, description="", by="a test")
    return made.endpoint


def body(order_id: str = ORDER_ID) -> dict[str, Any]:
    return {"orderId": order_id, "userId": 101}


def noted_in(*traces: TraceContext | None, bodies: list[dict[str, Any]]) -> None:
    """What webhooks' handler does for messages of these traces."""
    token = handling._of_bodies.set(traces)
    try:
        note(TYPE, bodies[0]) if len(bodies) == 1 else note_many(TYPE, bodies)
    finally:
        handling._of_bodies.reset(token)


def deliver(server: Receiver, known: Document) -> list[dict[str, str]]:
    """The header fields of what came."""
    claimed = waking.claim([], [], list(waking.Health))
    assert claimed
    assert claimed["_id"] == known["_id"]
    turn.take_turn(claimed, lambda: False)
    return [each.headers for each in server.requests]


def test_a_request_is_a_span_of_the_orders_trace(traces: Traces) -> None:
    with receiver() as server:
        known = endpoint(server.url)
        noted_in(HERE, bodies=[body()])
        (headers,) = deliver(server, known)

    span = traces.only("POST")
    assert (span.kind, span.trace_id, span.parent_id) == ("CLIENT", TRACE, SPAN)
    assert headers["traceparent"] == f"00-{TRACE}-{span.span_id}-01"
    assert span.error is None
    assert span.attributes["ordersite.order_id"] == ORDER_ID
    assert span.attributes["http.response.status_code"] == 204
    assert span.attributes["server.address"] == "127.0.0.1"
    assert not [each for each in span.attributes.values() if "/hook" in str(each)]


def test_a_failure_is_one_of_its_span_too(traces: Traces) -> None:
    with receiver(500) as server:
        known = endpoint(server.url)
        noted_in(HERE, bodies=[body()])
        deliver(server, known)

    assert traces.only("POST").error == "it answered 500"


def test_each_of_a_batch_goes_on_in_its_own_trace(traces: Traces) -> None:
    ids = [f"{number:024x}" for number in (1, 2, 3, 4)]
    unreadable: dict[str, Any] = {"userId": 101}
    with receiver() as server:
        known = endpoint(server.url)
        bodies = [body(ids[0]), unreadable, body(ids[1]), body(ids[2])]
        noted_in(HERE, HERE, OTHER, None, bodies=bodies)
        came = deliver(server, known)

    found = [context.read(each) for each in came]
    assert sorted(each.trace_id if each else "" for each in found) == ["", TRACE, "c" * 32]
    assert traces.only("POST").trace_id == TRACE
    # Whom nobody records is named all the same.
    assert [each.span_id for each in found if each and not each.is_sampled] == ["d" * 16]


def test_where_traces_are_not_recorded_nothing_of_them_is_kept_or_sent() -> None:
    with receiver() as server:
        known = endpoint(server.url)
        tasks.note(TYPE, body())
        (headers,) = deliver(server, known)

    assert "traceparent" not in headers
    assert "trace" not in (deliveries().find_one() or {})
