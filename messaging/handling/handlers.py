"""Declaring which function of a service handles which event.

    @handles("billing", "order.placed", runbook="…")
    def issue_invoice(order: dict[str, Any]) -> list[Message]: ...

makes the Celery task `billing.order.placed`. The events that the handler returns leave through
the service's own fanout and are confirmed before the message is acked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from celery import shared_task
from django.conf import settings

from messaging.handling.call import Answers, GoOn
from messaging.handling.handler import Body, Handle, HandleBatch, Handler, Validate
from messaging.handling.task import EventTask
from messaging.incoming import FIRST_VERSION
from messaging.message import Message
from messaging.service import events, resting, services
from messaging.topology import carried_to

#: By service and type.
HANDLERS: dict[tuple[str, str], Handler] = {}

#: Types that reach a service and that it does nothing for, as (service, type).
ignored: set[tuple[str, str]] = set()

#: A second handler of one type, as (service, type, its name); a system check stops the start.
handled_twice: list[tuple[str, str, str]] = []


def handles(
    service: str,
    type_: str,
    *,
    runbook: str,
    replay_safe: bool = True,
    batch: HandleBatch | None = None,
    version: int = FIRST_VERSION,
    validate: Validate | None = None,
    consequence: str = "",
    consequence_if: Mapping[str, str] | None = None,
    **celery_options: Any,
) -> Callable[[Handle], Handle]:
    """Make the decorated function the service's handler of one type of event.

    Args:
        runbook: what an operator should know and do when it fails, in a sentence or two.
        replay_safe: whether running it again for the same event has no further effect.
        batch: handles many bodies at once, with the same effects as one by one; what it raises,
            or leaves out by returning None for it, is handled one by one.
        version: the newest `schema-version` that it reads; a newer one is left to the workers of
            a newer release.
        validate: raises InvalidMessage for a body that the handler cannot take; has no effect.
        consequence: what is missing until it has succeeded, for the operator; `{order}` in it
            becomes "order X", or "its order" where the message names none.
        consequence_if: the same for an order that is in one of these states in the service, like
            "pending"; of one that the event has led to its state, the desk says that by itself.
        celery_options: Celery's own task options, e.g. `max_retries`, `soft_time_limit`.
    """

    def register(handle: Handle) -> Handle:
        if service in resting():
            return handle
        name = f"{handle.__module__}.{handle.__qualname__}"
        if (service, type_) in HANDLERS:
            handled_twice.append((service, type_, name))
        handler = HANDLERS[service, type_] = Handler(
            name,
            handle,
            replay_safe,
            runbook,
            batch,
            version,
            validate,
            consequence,
            consequence_if or {},
        )
        options = {"max_retries": len(settings.RETRY_DELAYS_SECONDS), **celery_options}
        if batch:
            options["Strategy"] = "messaging.consuming.batching:BatchStrategy"

        @shared_task(base=EventTask, name=f"{service}.{type_}", handler=handler, **options)
        def run(go_on: GoOn) -> Answers:
            return go_on()

        return handle

    return register


def ignore_the_rest() -> None:
    """Let each service take what its exchanges carry beside the types that it listens to.

    Call it once, when the handlers of all services are registered.
    """
    for service in services().values():
        for type_ in carried_to(service):
            if (service.name, type_) not in HANDLERS:
                handles(
                    service.name,
                    type_,
                    version=events()[type_].version,
                    runbook="Nothing is done for this event.",
                )(_nothing)
                ignored.add((service.name, type_))


@cache
def known_types(service: str) -> frozenset[str]:
    """The types of event that the service has a handler for."""
    return frozenset(type_ for name, type_ in HANDLERS if name == service)


def versions_read() -> dict[tuple[str, str], int]:
    """The newest version that each handler reads, by service and type; without what is ignored."""
    return {key: each.version for key, each in HANDLERS.items() if key not in ignored}


def _nothing(body: Body) -> list[Message]:
    return []
