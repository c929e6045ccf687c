"""What runs around each call of a handler, and in what order.

A middleware gets the call and continues with `go_on()`, which returns the handler's answers or
raises what went wrong inside; it may read either, and do something before or after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, TypeVar

from django.conf import settings
from django.utils.module_loading import import_string

from messaging.handling.attempts import count_attempts
from messaging.handling.call import Answers, BatchCall, Call, GoOn, MessageCall
from messaging.handling.contents_middleware import check_contents
from messaging.handling.execution import decode_bodies, publish_events
from messaging.handling.log_ids import name_in_logs
from messaging.handling.outage_middlewares import name_outages, wait_for_dependencies
from messaging.handling.replay_outcome import report_success
from messaging.handling.retrying import retry_failures
from messaging.handling.run_notes import note_run
from messaging.handling.settling import settle
from messaging.handling.stopped_retries import end_stopped
from messaging.handling.traces import carry_traces, trace_batch, trace_message
from messaging.handling.versions import check_version
from runtime.tracing import spans

Around = TypeVar("Around", bound=Call)
Middleware = TypeVar("Middleware", bound=Callable[..., Answers])


@cache
def around_a_message() -> Sequence[Callable[[MessageCall, GoOn], Answers]]:
    """For a message that is handled alone, outermost first."""
    return (
        *where_traced(trace_message),  # a span around the attempt
        name_in_logs,  # what is logged inside has the message's ids
        settle,  # returns once the message may be acked: it is done, put back or given up
        wait_for_dependencies,  # runs the rest again for as long as MongoDB or RabbitMQ is down
        end_stopped,  # a retry that an operator has stopped does not take place
        note_run,  # notes in MongoDB that a returned message runs; ends one that killed too often
        retry_failures,  # adds an attempt and publishes the retry, as Celery's `autoretry_for` says
        name_outages,  # a dependency that is down is not a failure of the handler
        check_version,  # leaves a newer release's format to that release's workers
        decode_bodies,
        check_contents,  # RabbitMQ vouches for the publisher, or else what it stored does
        *of_the_site(),  # simulated faults in development, yielding where it is asked for
        publish_events,  # confirmed before the message is acked
        *where_traced(carry_traces),  # what a message leads to is part of its trace
        report_success,  # tells the desk, where the message is a replay
        count_attempts,  # events say how many attempts they took
    )


@cache
def around_a_batch() -> Sequence[Callable[[BatchCall, GoOn], Answers]]:
    """For messages that share a call: whatever is raised here, each of them runs alone."""
    return (
        *where_traced(trace_batch),
        wait_for_dependencies,
        name_outages,
        decode_bodies,
        check_contents,
        *of_the_site(),
        publish_events,
        *where_traced(carry_traces),
    )


def where_traced(middleware: Middleware) -> list[Middleware]:
    """The middleware, but only where traces are recorded."""
    return [middleware] if spans.is_on() else []


def of_the_site() -> list[Callable[[Call, GoOn], Answers]]:
    """The middlewares that `HANDLER_MIDDLEWARE` names, as Django's `MIDDLEWARE` does."""
    return [import_string(path) for path in settings.HANDLER_MIDDLEWARE]


def run(call: Around, around: Sequence[Callable[[Around, GoOn], Answers]]) -> Answers:
    """Call the handler, through every middleware.

    Raises:
        Exception: what the handler or a middleware raises, as the outermost leaves it.
    """
    go_on: Any = call.answers
    for middleware in reversed(around):
        go_on = partial(middleware, call, go_on)
    answers: Answers = go_on()
    return answers
