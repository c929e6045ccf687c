"""The trace of an order's messages: who sends, who handles, where retries and replays belong."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from celery.exceptions import Ignore, Retry

from celery_app import app
from failed_messages.archiving import archiver
from messaging import outages
from messaging.certificate import Attempt, encode_attempts
from messaging.consuming import batching
from messaging.errors import PublishError
from messaging.handling import dead_letters, execution, retry_notes, retrying
from messaging.handling.handlers import HANDLERS
from messaging.handling.worker_count import Sharing
from messaging.incoming import Delivery
from messaging.message import Message
from messaging.publishing.publisher import Outgoing, Publisher
from messaging.trust.users import user_of
from runtime.outage import Outage
from runtime.tracing import context
from tests.collector import Span
from tests.traced import Traces

BODY = b'{"orderId": "6743f0", "userId": 101}'
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=1"}
UNSAMPLED = {"traceparent": f"00-{'e' * 32}-{'f' * 16}-00"}
FAILED_BEFORE = Attempt(1, "2026-11-28T00:00:00+00:00", 0.1, "billing@here", "ValueError", "so")


class Broker(Publisher):
    """Keeps what would go to RabbitMQ."""

    def __init__(self) -> None:
        super().__init__("amqp://nowhere")
        self.sent: list[Outgoing] = []
        #: How many it confirms.
        self.confirms = 1_000

    def _publish_round(self, outgoing: Sequence[Outgoing]) -> None:
        self.sent += outgoing
        if len(outgoing) > self.confirms:
            raise PublishError("RabbitMQ is down", {*range(self.confirms)})

    def only(self) -> Outgoing:
        [outgoing] = self.sent
        return outgoing


@pytest.fixture(autouse=True)
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker()
    for module in (execution, retrying, dead_letters):
        monkeypatch.setattr(module, "process_publisher", lambda: broker)
    for note in ("retried", "handled", "gave_up", "stopped"):
        monkeypatch.setattr(retry_notes, note, lambda *_: None)
    monkeypatch.setattr(outages, "PATIENCE_SECONDS", 0)
    monkeypatch.setattr("django.conf.settings.HANDLER_MIDDLEWARE", [])
    return broker


def placed(number: int = 1, **headers: Any) -> Outgoing:
    message = Message(
        BODY,
        type="order.placed",
        message_id=f"order.placed:{number}",
        correlation_id=str(number),
        headers=headers,
    )
    return Outgoing(message, "order_events", "order.placed")


def invoiced(number: int = 1) -> Message:
    return Message(b"{}", type="billing.invoiced", message_id=f"billing.invoiced:{number}")


def delivery(*attempts: Attempt, **headers: Any) -> Delivery:
    return Delivery(
        service="billing",
        type="order.placed",
        message_id="order.placed:6743f0",
        correlation_id="6743f0",
        content_type="application/json",
        timestamp_seconds=1_795_900_000,
        headers=headers,
        publisher=user_of("relay"),
        attempts_json=encode_attempts(attempts),
        original_json="{}",
    )


def handle(
    monkeypatch: pytest.MonkeyPatch, handler: Callable[[Any], list[Message]], delivered: Delivery
) -> None:
    """Run billing's Celery task with another handler."""
    task = app.tasks["billing.order.placed"]
    monkeypatch.setattr(task, "handler", replace(task.handler, handle=handler), raising=False)
    task.push_request(delivery=delivered, args=(BODY,))
    try:
        task(BODY)
    finally:
        task.pop_request()


def raising(error: Exception) -> Callable[[Any], list[Message]]:
    def fail(body: Any) -> list[Message]:
        raise error

    return fail


def span_in(outgoing: Outgoing) -> str:
    """Which span the message says that it is sent by."""
    trace = context.read(outgoing.message.headers)
    assert trace is not None
    return trace.span_id


def of(service: str, traces: Traces) -> Span:
    return traces.only(f"process {service}")


def test_a_message_is_sent_in_the_trace_of_its_order(traces: Traces, broker: Broker) -> None:
    broker.publish([placed(**SAMPLED, **{"order-version": 1})])

    [span] = traces.spans()
    assert (span.name, span.kind) == ("send order_events", "PRODUCER")
    assert (span.trace_id, span.parent_id, span.links) == (TRACE, SPAN, [])
    assert span.attributes == {
        "messaging.destination.name": "order_events",
        "messaging.message.body.size": len(BODY),
        "messaging.message.conversation_id": "1",
        "messaging.message.id": "order.placed:1",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.rabbitmq.destination.routing_key": "order.placed",
        "messaging.system": "rabbitmq",
        "ordersite.order_id": "1",
        "ordersite.type": "order.placed",
    }
    assert broker.only().message.headers == {
        "traceparent": f"00-{TRACE}-{span.span_id}-01",
        "tracestate": "a=1",
        "order-version": 1,
    }


@pytest.mark.parametrize("headers", [{}, UNSAMPLED, {"traceparent": "what?"}])
def test_a_message_of_no_recorded_trace_stays_as_it_is(
    traces: Traces, broker: Broker, headers: dict[str, str]
) -> None:
    sent = placed(**headers)
    broker.publish([sent])

    assert broker.only() is sent
    assert traces.spans() == []


def test_what_is_not_confirmed_is_an_error_of_its_own_span_alone(
    traces: Traces, broker: Broker
) -> None:
    broker.confirms = 1
    with pytest.raises(PublishError):
        broker.publish([placed(1, **SAMPLED), placed(2), placed(3, **SAMPLED)])

    first, third = traces.spans()
    assert (first.error, third.error) == (None, "RabbitMQ is down")


def test_a_handler_and_its_events_are_in_the_trace(
    traces: Traces, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle(monkeypatch, lambda _: [invoiced()], delivery(**SAMPLED))

    sent, processed = traces.spans()
    assert (processed.name, processed.kind, processed.error) == (
        "process billing",
        "CONSUMER",
        None,
    )
    assert (processed.trace_id, processed.parent_id, processed.links) == (TRACE, SPAN, [SPAN])
    assert processed.attributes == {
        "messaging.destination.name": "billing",
        "messaging.message.conversation_id": "6743f0",
        "messaging.message.id": "order.placed:6743f0",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.system": "rabbitmq",
        "ordersite.attempt": 1,
        "ordersite.order_id": "6743f0",
        "ordersite.outcome": "handled",
        "ordersite.type": "order.placed",
    }
    assert (sent.name, sent.parent_id) == ("send billing_events", processed.span_id)
    assert span_in(broker.only()) == sent.span_id


def test_a_handler_of_no_recorded_trace_passes_its_name_on(
    traces: Traces, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle(monkeypatch, lambda _: [invoiced()], delivery(**UNSAMPLED))
    handle(monkeypatch, lambda _: [invoiced()], delivery())

    assert traces.spans() == []
    assert [each.message.headers for each in broker.sent] == [UNSAMPLED, {}]


def test_a_failure_and_its_retry_are_in_the_trace(
    traces: Traces, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Retry):
        handle(monkeypatch, raising(ValueError("no money")), delivery(**SAMPLED))

    failed = of("billing", traces)
    assert failed.error == "no money"
    assert failed.attributes["error.type"] == "builtins.ValueError"
    assert failed.attributes["ordersite.outcome"] == "retried"
    sent = traces.only("send billing.retry.200ms")
    assert (sent.trace_id, sent.parent_id) == (TRACE, failed.span_id)
    assert span_in(broker.only()) == sent.span_id


def test_a_death_is_in_the_trace_and_the_archiver_too(
    traces: Traces, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered = delivery(FAILED_BEFORE, FAILED_BEFORE, **SAMPLED)
    with pytest.raises(Ignore):
        handle(monkeypatch, raising(ValueError("no money")), delivered)

    failed, sent = of("billing", traces), traces.only("send dead_letters")
    assert failed.attributes["ordersite.outcome"] == "given up"
    assert (failed.error, failed.attributes["ordersite.attempt"]) == ("no money", 3)
    assert sent.parent_id == failed.span_id

    dead = broker.only().message
    message: Any = type(
        "Letter", (), {"headers": dead.headers, "properties": {"message_id": "\ud800"}}
    )
    with archiver.traced("billing.dlq", message):
        pass
    archived = of("billing.dlq", traces)
    assert (archived.trace_id, archived.parent_id) == (TRACE, sent.span_id)


def test_an_outage_is_told_as_one(traces: Traces, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Ignore):
        handle(monkeypatch, raising(Outage("MongoDB is down")), delivery(**SAMPLED))

    assert of("billing", traces).attributes["ordersite.outcome"] == "put back"


def test_a_replay_is_in_the_orders_trace_and_linked_with_who_asked_for_it(
    traces: Traces, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator's request has a trace of its own."""
    request = context.TraceContext("a" * 32, "b" * 16, True, span=object())
    token = context.current.set(request)
    try:
        broker.publish([replace_route(placed(**SAMPLED, replay="r-1"))])
    finally:
        context.current.reset(token)
    replayed = traces.only("send billing")
    assert (replayed.trace_id, replayed.parent_id) == (TRACE, SPAN)
    assert replayed.links == ["b" * 16]

    headers = broker.sent.pop().message.headers
    handle(monkeypatch, lambda _: [invoiced()], delivery(**headers))
    processed = of("billing", traces)
    assert (processed.trace_id, processed.parent_id) == (TRACE, replayed.span_id)
    assert processed.attributes["ordersite.replay"] == "r-1"
    news = traces.only("send replay_outcomes")
    assert (news.trace_id, news.parent_id) == (TRACE, processed.span_id)


def replace_route(outgoing: Outgoing) -> Outgoing:
    return Outgoing(outgoing.message, "", "billing")


def test_a_batch_has_one_span_with_links(
    traces: Traces, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Given four messages: two of recorded traces, one of a trace that is not, one of none
    Then one span is linked with the two, and says of each which message and order it is
    And each event goes on in the trace of its own message.
    """
    other = {"traceparent": f"00-{'c' * 32}-{'d' * 16}-01"}
    found = in_a_child(batching.traces_of(messages_with({}, SAMPLED, UNSAMPLED, other)))
    handler = replace(
        HANDLERS["billing", "order.placed"],
        handle_batch=lambda bodies: [[invoiced(number)] for number in range(len(bodies))],
    )
    monkeypatch.setitem(HANDLERS, ("billing", "order.placed"), handler)
    monkeypatch.setattr(Sharing, "workers", lambda _: 1)
    publishers = [user_of("relay")] * 4
    outcome = batching.run_batch("billing", "order.placed", [BODY] * 4, publishers, found)

    assert (outcome.refused, outcome.events) == ([], {"billing.invoiced": 4})
    processed = of("billing", traces)
    assert processed.kind == "CONSUMER"
    assert (processed.trace_id, processed.parent_id) == (TRACE, SPAN)
    assert processed.links == [SPAN, "d" * 16]
    assert processed.link_attributes == [of_message("m-1", "o-1"), of_message("m-3", "o-3")]
    assert processed.attributes["messaging.batch.message_count"] == 4
    assert processed.attributes["ordersite.outcome"] == "handled"
    first, second = (each for each in traces.spans() if each.name == "send billing_events")
    assert (first.trace_id, first.parent_id) == (TRACE, processed.span_id)
    assert (second.trace_id, second.parent_id) == ("c" * 32, "d" * 16)
    assert second.links == [processed.span_id]
    headers = [each.message.headers for each in broker.sent]
    assert [context.read(each) and context.read(each).span_id for each in headers] == [
        None,
        first.span_id,
        "f" * 16,
        second.span_id,
    ]


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [([[], None], "handled in part"), ([None, None], "run alone"), (Outage("it"), "run alone")],
)
def test_a_batch_says_whether_its_messages_run_alone(
    traces: Traces, monkeypatch: pytest.MonkeyPatch, answers: Any, outcome: str
) -> None:
    def handle_batch(bodies: list[Any]) -> list[Any]:
        if isinstance(answers, Exception):
            raise answers
        return list(answers)

    handler = replace(HANDLERS["billing", "order.placed"], handle_batch=handle_batch)
    monkeypatch.setitem(HANDLERS, ("billing", "order.placed"), handler)
    monkeypatch.setattr(Sharing, "workers", lambda _: 1)
    found = batching.traces_of(messages_with(SAMPLED, SAMPLED))
    publishers = [user_of("relay")] * 2
    with nullcontext() if isinstance(answers, list) else pytest.raises(Outage):
        batching.run_batch("billing", "order.placed", [BODY] * 2, publishers, found)

    assert of("billing", traces).attributes["ordersite.outcome"] == outcome


def in_a_child(sent: Any) -> Any:
    """As it arrives in the worker's pool."""
    return pickle.loads(pickle.dumps(sent))


def of_message(message_id: str, order_id: str) -> dict[str, str]:
    return {
        "messaging.message.id": message_id,
        "messaging.message.conversation_id": order_id,
        "ordersite.order_id": order_id,
    }


def messages_with(*headers: dict[str, Any]) -> list[Any]:
    """One with each of these, as the worker has them."""
    return [
        SimpleNamespace(
            headers=each,
            properties={"message_id": f"m-{number}", "correlation_id": f"o-{number}"},
        )
        for number, each in enumerate(headers)
    ]


def test_where_nothing_is_traced_nothing_is_looked_for() -> None:
    messages = [type("M", (), {"headers": SAMPLED})]

    assert batching.traces_of(messages) == {}
