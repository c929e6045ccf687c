"""Middlewares where traces are recorded: a span around a call, and the trace of its results."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar

from celery.exceptions import Ignore, Reject, Retry
from msgspec.structs import replace

from messaging import spans
from messaging.handling.call import Answers, BatchCall, Call, GoOn, MessageCall
from messaging.handling.settling import PutBack
from messaging.message import Message
from runtime.tracing.context import TraceContext
from runtime.tracing.spans import note

OUTCOME = "ordersite.outcome"
RUN_ALONE = "run alone"

_of_bodies: ContextVar[Sequence[TraceContext | None]] = ContextVar("traces_of_bodies", default=())


def trace_message(call: MessageCall, go_on: GoOn) -> Answers:
    """Middleware: a span around the attempt, in the trace of its message."""
    delivery = call.delivery
    about: dict[str, str | bool | int | float] = {
        "ordersite.type": call.type,
        "ordersite.attempt": len(delivery.attempts) + 1,
        **spans.of_message(delivery.message_id, delivery.correlation_id),
    }
    if "replay" in delivery.headers:
        about["ordersite.replay"] = str(delivery.headers["replay"])
    with spans.processing(call.service, delivery.headers, about, cause):
        return _with_outcome(go_on)


def trace_batch(call: BatchCall, go_on: GoOn) -> Answers:
    """Middleware: one span around the call, with a link to each message of a recorded trace."""
    recorded = [each for each in call.traces.values() if each.context.is_sampled]
    about = {"ordersite.type": call.type}
    with spans.processing_batch(call.service, recorded, len(call.raw), about):
        return _with_outcome_of_batch(go_on)


def carry_traces(call: Call, go_on: GoOn) -> Answers:
    """Middleware: what a message leads to is part of its trace."""
    carried = [call.trace_of(index) for index in call.indexes]
    token = _of_bodies.set(carried)
    try:
        answers = go_on()
    finally:
        _of_bodies.reset(token)
    call.also = [replace(each, message=_carrying(each.message, carried[0])) for each in call.also]
    return [
        [_carrying(each, trace) for each in events] if events else events
        for events, trace in zip(answers, carried, strict=True)
    ]


def of_bodies(count: int) -> Sequence[TraceContext | None]:
    """For a handler that keeps what it is to go on with later: the trace of each of its `count`
    bodies, None where traces are not recorded or a message has none.
    """
    known = _of_bodies.get()
    return known if len(known) == count else [None] * count


def cause(error: BaseException) -> BaseException:
    """Of what tells Celery how a message was settled, the error that led to it."""
    led_to = error.exc if isinstance(error, Retry) else error.__cause__
    return led_to if isinstance(led_to, BaseException) else error


def _with_outcome(go_on: GoOn) -> Answers:
    try:
        answers = go_on()
    except BaseException as error:
        note({OUTCOME: _outcome(error)})
        raise
    note({OUTCOME: "handled"})
    return answers


def _with_outcome_of_batch(go_on: GoOn) -> Answers:
    """A message that it does not handle runs alone, with a span of its own."""
    try:
        answers = go_on()
    except BaseException:
        note({OUTCOME: RUN_ALONE})
        raise
    handled = [each for each in answers if each is not None]
    outcome = "handled" if len(handled) == len(answers) else "handled in part"
    note({OUTCOME: outcome if handled else RUN_ALONE})
    return answers


def _outcome(error: BaseException) -> str:
    if isinstance(error, Retry):
        return "retried"
    if isinstance(error, Ignore):
        return "put back" if isinstance(error, PutBack) else "given up"
    return "left with RabbitMQ" if isinstance(error, Reject) else "failed"


def _carrying(message: Message, trace: TraceContext | None) -> Message:
    if trace is None:
        return message
    return replace(message, headers={**message.headers, **trace.headers()})
