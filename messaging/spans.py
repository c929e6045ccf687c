"""Spans of messages: one for each that is sent, and one for each call that handles some.

A message belongs to a trace if it has a `traceparent`; each send gives it a new one, that of its
own span, so that whoever handles it continues there. Names and attributes follow
https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from messaging.errors import PublishError
from messaging.publishing.confirms import Outgoing
from messaging.topology import by_name
from runtime.tracing import context, spans
from runtime.tracing.context import TraceContext
from runtime.tracing.spans import Kind, Link


@contextmanager
def sending(outgoing: Sequence[Outgoing]) -> Iterator[Sequence[Outgoing]]:
    """The same messages; each of a recorded trace has a span, until it is confirmed."""
    sent = [_begin_sending(each) for each in outgoing]
    failed: PublishError | None = None
    try:
        yield [
            each if here is None else _continuing(each, here)
            for each, here in zip(outgoing, sent, strict=True)
        ]
    except PublishError as error:
        failed = error
        raise
    finally:
        for index, here in enumerate(sent):
            if here is not None:
                spans.end(here, failed if failed and index not in failed.confirmed else None)


@contextmanager
def processing(
    queue: str,
    headers: Mapping[str, object],
    attributes: spans.Attributes,
    cause: Callable[[BaseException], BaseException] = spans.as_it_is,
) -> Iterator[None]:
    """A span around the handling of one message of a recorded trace, as the current one inside.

    Args:
        queue: where it was taken from.
        attributes: beside those that every message has.
        cause: what the handling failed with, by what it raises.
    """
    parent = context.read(headers)
    if parent is None or not parent.is_sampled:
        yield
        return
    about = {**of_queue(queue, "process"), **attributes}
    with spans.span(f"process {queue}", Kind.CONSUMER, parent, about, [Link(parent)], cause):
        yield


@contextmanager
def processing_batch(
    queue: str, messages: Sequence[Link], count: int, attributes: spans.Attributes
) -> Iterator[None]:
    """One span around the handling of several messages, with a link to each.

    It is in the trace of the first, as it has to be in one.

    Args:
        messages: those whose traces are recorded; no span where it is empty.
        count: of all messages.
    """
    if not messages:
        yield
        return
    about = {**of_queue(queue, "process"), **attributes, "messaging.batch.message_count": count}
    with spans.span(f"process {queue}", Kind.CONSUMER, messages[0].context, about, messages):
        yield


def of_message(message_id: str, order_id: str) -> dict[str, str]:
    """The attributes of one message."""
    about = {
        "messaging.message.id": message_id,
        "messaging.message.conversation_id": order_id,
        "ordersite.order_id": order_id,
    }
    return {name: value for name, value in about.items() if value}


def of_queue(queue: str, operation: str) -> dict[str, str]:
    """The attributes of what is done with a message of the queue: `receive`, `process`."""
    return {
        "messaging.system": "rabbitmq",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": queue,
    }


def _begin_sending(outgoing: Outgoing) -> TraceContext | None:
    """None where the message is part of no recorded trace."""
    message = outgoing.message
    parent = context.read(message.headers)
    if parent is None or not parent.is_sampled:
        return None
    # Who sends it again, as a retry or a replay, may be at work for this trace or for another one.
    here = context.current.get()
    is_ours = here is not None and here.span is not None
    is_for_a_queue = outgoing.exchange in ("", by_name.name)
    destination = outgoing.routing_key if is_for_a_queue else outgoing.exchange
    about: dict[str, Any] = {
        "messaging.system": "rabbitmq",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": destination,
        "messaging.rabbitmq.destination.routing_key": outgoing.routing_key,
        "messaging.message.body.size": len(message.body),
        "ordersite.type": message.type,
        **of_message(message.message_id, message.correlation_id),
    }
    if here is None or not is_ours:
        return spans.begin(f"send {destination}", Kind.PRODUCER, parent, about)
    if here.trace_id == parent.trace_id:
        return spans.begin(f"send {destination}", Kind.PRODUCER, here, about)
    return spans.begin(f"send {destination}", Kind.PRODUCER, parent, about, [Link(here)])


def _continuing(outgoing: Outgoing, here: TraceContext) -> Outgoing:
    """The same, in a message whose trace continues at this span."""
    message = outgoing.message
    headers = {**message.headers, **here.headers()}
    return replace(outgoing, message=replace(message, headers=headers))
