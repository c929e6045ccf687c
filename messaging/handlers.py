"""Declaring which function of a service handles which event.

    @handles("billing", "order.placed", runbook="…")
    def issue_invoice(order: dict[str, Any]) -> list[Message]: ...

makes the Celery task `billing.order.placed`. The events that the handler returns leave through
the service's own fanout and are confirmed before the message is acked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from celery import shared_task
from django.conf import settings

from messaging.dead_letters import worker_name
from messaging.errors import Outage
from messaging.incoming import Delivery
from messaging.message import Message, event
from messaging.outages import is_outage
from messaging.publisher import Outgoing, process_publisher
from messaging.retries import EventTask
from messaging.topology import SERVICES, replay_outcomes

Body = dict[str, Any]
Handle = Callable[[Body], list[Message]]


@dataclass(frozen=True, slots=True)
class Handler:
    """What the operator's desk shows about a handler, beside its code."""

    name: str
    replay_safe: bool
    runbook: str


#: By service and type.
HANDLERS: dict[tuple[str, str], Handler] = {}

#: Called with (service, type, bodies) before a handler runs; what one raises counts as the
#: handler's own error.
before_handling: list[Callable[[str, str, list[Body]], None]] = []


def handles(
    service: str, type_: str, *, runbook: str, replay_safe: bool = True, **celery_options: Any
) -> Callable[[Handle], Handle]:
    """Make the decorated function the service's handler of one type of event.

    Args:
        runbook: what an operator should know and do when it fails, in a sentence or two.
        replay_safe: whether running it again for the same event has no further effect.
        celery_options: Celery's own task options, e.g. `max_retries`, `soft_time_limit`.
    """

    def register(handle: Handle) -> Handle:
        name = f"{handle.__module__}.{handle.__qualname__}"
        HANDLERS[service, type_] = Handler(name, replay_safe, runbook)

        @shared_task(
            base=EventTask,
            bind=True,
            name=f"{service}.{type_}",
            **{"max_retries": len(settings.RETRY_DELAYS_SECONDS), **celery_options},
            handler_name=name,
        )
        def run(task: EventTask, body: bytes) -> None:
            attempt(handle, task.delivery, body)

        return handle

    return register


def ignores(service: str, type_: str) -> None:
    """Declare that the service knows this type of event and has nothing to do for it."""
    handles(service, type_, runbook="Nothing is done for this event.")(_nothing)


def known_types(service: str) -> frozenset[str]:
    """The types of event that the service has a handler for."""
    return frozenset(type_ for name, type_ in HANDLERS if name == service)


def attempt(handle: Handle, delivery: Delivery, body: bytes) -> None:
    """Run a handler once and publish what it returns.

    Raises:
        Outage: the database or the broker is away.
        Exception: whatever the handler raises.
    """
    try:
        decoded = msgspec.json.decode(body)
        for check in before_handling:
            check(delivery.service, delivery.type, [decoded])
        publish_outcome(delivery, handle(decoded))
    except Exception as error:
        if is_outage(error):
            raise Outage(str(error)) from error
        raise


def publish_outcome(delivery: Delivery, events: list[Message]) -> None:
    """Publish a handler's events, and for a replayed message the news that it succeeded."""
    fanout = SERVICES[delivery.service].publishes_to
    outgoing = [Outgoing(each, fanout.name, each.type) for each in events]
    if "replay" in delivery.headers:
        outgoing.append(Outgoing(_replay_succeeded(delivery), "", replay_outcomes.name))
    if outgoing:
        process_publisher().publish(outgoing)


def _replay_succeeded(delivery: Delivery) -> Message:
    replay_id = str(delivery.headers["replay"])
    return event(
        "replay.succeeded",
        {
            "replayId": replay_id,
            "service": delivery.service,
            "messageId": delivery.message_id,
            "at": datetime.now(UTC),
            "worker": worker_name(delivery.service),
        },
        message_id=f"replay.succeeded:{replay_id}",
        correlation_id=delivery.correlation_id,
    )


def _nothing(body: Body) -> list[Message]:
    return []
