"""Webhooks' handlers: one for every type of event that another service publishes."""

from __future__ import annotations

from functools import partial
from typing import Any

from msgspec.structs import replace

from messaging.body import readable
from messaging.handling.handlers import handles
from messaging.handling.traces import of_bodies
from messaging.message import Message
from messaging.service import events as events_of_services
from messaging.service import heard, services
from runtime.tracing.context import TraceContext
from webhooks import events, noting, order_in_message
from webhooks.noting import FIRST_TYPE

NAME = "webhooks"

Body = dict[str, Any]

RUNBOOK = (
    "It only notes what is to be sent, once for each endpoint, so a replay is always safe. A body "
    "that is wrong stays wrong: correct it at its publisher and discard the message."
)


def note(type_: str, body: Body) -> list[Message]:
    """Note one event for every endpoint that listens; an order's first one is answered."""
    (trace,) = of_bodies(1)
    return noted(type_, [(body, followed(order_in_message.read(body), trace))])[0]


def note_many(type_: str, bodies: list[Body]) -> list[list[Message] | None]:
    """Note the events of all orders that can be read."""
    read = readable(bodies, order_in_message.read)
    heard_of: list[noting.Heard] = [
        (body, followed(about, trace))
        for body, about, trace in zip(bodies, read, of_bodies(len(bodies)), strict=True)
        if about
    ]
    answers = iter(noted(type_, heard_of))
    return [next(answers) if about else None for about in read]


def followed(about: order_in_message.About, trace: TraceContext | None) -> order_in_message.About:
    """With the trace in which it is delivered."""
    return replace(about, trace=trace.headers()) if trace else about


def noted(type_: str, heard_of: list[noting.Heard]) -> list[list[Message]]:
    noting.note(type_, heard_of)
    # After its deliveries: what is noted is not sent again.
    records = noting.note_orders(type_, heard_of)
    return [[events.noted(record)] if type_ == FIRST_TYPE else [] for record in records]


def hear(type_: str) -> None:
    """Handle one type of event."""
    note_it = partial(note, type_)
    note_it.__module__ = __name__  # type: ignore[attr-defined]
    note_it.__qualname__ = f"note_{type_.replace('.', '_')}"  # type: ignore[attr-defined]
    handles(
        NAME,
        type_,
        # A body is sent on as it is.
        version=events_of_services()[type_].version,
        batch=partial(note_many, type_),
        validate=order_in_message.read,
        consequence="No endpoint is told this of {order}.",
        replay_safe=True,
        runbook=RUNBOOK,
    )(note_it)


if NAME in services():
    for on in heard(services()[NAME]):
        hear(on.type)
