"""Declaring which function of a service handles which event.

    @handles("billing", "order.placed", runbook="…")
    def issue_invoice(order: dict[str, Any]) -> list[Message]: ...

makes the Celery task `billing.order.placed`. The events that the handler returns leave through
the service's own fanout and are confirmed before the message is acked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from celery import shared_task
from django.conf import settings

from messaging.attempting import Body, Handle, HandleBatch, attempt
from messaging.message import Message
from messaging.retries import EventTask

#: Raises InvalidMessage for a body that the handler cannot take; what it returns is not used.
Shape = Callable[[Body], object]


@dataclass(frozen=True, slots=True)
class Handler:
    """What the operator's desk shows about a handler, beside its code."""

    name: str
    replay_safe: bool
    runbook: str
    handle_batch: HandleBatch | None
    #: Checks a body as the handler does, before an edited one is sent; None where nothing does.
    shape: Shape | None


#: By service and type.
HANDLERS: dict[tuple[str, str], Handler] = {}


def handles(
    service: str,
    type_: str,
    *,
    runbook: str,
    replay_safe: bool = True,
    batch: HandleBatch | None = None,
    shape: Shape | None = None,
    **celery_options: Any,
) -> Callable[[Handle], Handle]:
    """Make the decorated function the service's handler of one type of event.

    Args:
        runbook: what an operator should know and do when it fails, in a sentence or two.
        replay_safe: whether running it again for the same event has no further effect.
        batch: handles many bodies at once, with the same effects as one by one; what it raises,
            or leaves out by returning None for it, is handled one by one.
        shape: raises InvalidMessage for a body that the handler cannot take, and has no effect.
        celery_options: Celery's own task options, e.g. `max_retries`, `soft_time_limit`.
    """

    def register(handle: Handle) -> Handle:
        name = f"{handle.__module__}.{handle.__qualname__}"
        HANDLERS[service, type_] = Handler(name, replay_safe, runbook, batch, shape)
        options = {"max_retries": len(settings.RETRY_DELAYS_SECONDS), **celery_options}
        if batch:
            options["Strategy"] = "messaging.batching:BatchStrategy"

        @shared_task(
            base=EventTask, bind=True, name=f"{service}.{type_}", handler_name=name, **options
        )
        def run(task: EventTask, body: bytes) -> None:
            attempt(handle, task.delivery, body)

        return handle

    return register


def ignores(service: str, type_: str) -> None:
    """Declare that the service knows this type of event and has nothing to do for it."""
    handles(service, type_, runbook="Nothing is done for this event.")(_nothing)


@cache
def known_types(service: str) -> frozenset[str]:
    """The types of event that the service has a handler for."""
    return frozenset(type_ for name, type_ in HANDLERS if name == service)


def _nothing(body: Body) -> list[Message]:
    return []
