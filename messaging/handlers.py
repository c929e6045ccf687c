"""Declaring which function of a service handles which event.

    @handles("billing", "order.placed", runbook="…")
    def issue_invoice(order: dict[str, Any]) -> list[Message]: ...

makes the Celery task `billing.order.placed`. The events that the handler returns leave through
the service's own fanout and are confirmed before the message is acked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from celery import shared_task
from django.conf import settings

from messaging.dead_letters import worker_name
from messaging.errors import Outage
from messaging.incoming import ATTEMPT_HEADER, Delivery
from messaging.message import Message, event
from messaging.outages import is_outage
from messaging.publisher import Outgoing, process_publisher
from messaging.retries import EventTask
from messaging.topology import SERVICES, replay_outcomes

Body = dict[str, Any]
Handle = Callable[[Body], list[Message]]
#: Takes many bodies; returns each one's events, or None for a body that must be handled alone.
HandleBatch = Callable[[list[Body]], list[list[Message] | None]]

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

#: Called with (service, type, bodies) before a handler runs; what one raises counts as the
#: handler's own error.
before_handling: list[Callable[[str, str, list[Body]], None]] = []


#: Numbers beyond it are no publisher's of ours.
MAX_ATTEMPTS = 1_000

#: What is being handled, where it is not a batch.
_handled: ContextVar[Delivery | None] = ContextVar("handled", default=None)


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


def known_types(service: str) -> frozenset[str]:
    """The types of event that the service has a handler for."""
    return frozenset(type_ for name, type_ in HANDLERS if name == service)


def attempt(handle: Handle, delivery: Delivery, body: bytes) -> None:
    """Run a handler once and publish what it returns.

    Raises:
        Outage: the database or the broker is away.
        Exception: whatever the handler raises.
    """
    with telling_outages():
        decoded = msgspec.json.decode(body)
        for check in before_handling:
            check(delivery.service, delivery.type, [decoded])
        with being_handled(delivery):
            events = [numbered(each, delivery) for each in handle(decoded)]
        publish_events(delivery.service, events, *replayed(delivery))


def attempt_batch(service: str, type_: str, bodies: list[bytes]) -> list[int]:
    """Run a handler once for many messages and publish what it returns, in one round.

    Returns the indexes of the messages that it has left to be handled alone.

    Raises:
        Outage: the database or the broker is away.
        Exception: whatever the handler raises.
    """
    handle_batch = HANDLERS[service, type_].handle_batch
    assert handle_batch is not None
    with telling_outages():
        decoded = [msgspec.json.decode(body) for body in bodies]
        for check in before_handling:
            check(service, type_, decoded)
        answers = handle_batch(decoded)
        publish_events(service, [each for events in answers if events for each in events])
    return [index for index, events in enumerate(answers) if events is None]


@contextmanager
def being_handled(delivery: Delivery) -> Iterator[None]:
    token = _handled.set(delivery)
    try:
        yield
    finally:
        _handled.reset(token)


def numbered(message: Message, delivery: Delivery) -> Message:
    """The event of a handler that needed several attempts says how many."""
    if not delivery.attempts:
        return message
    number = len(delivery.attempts) + 1
    return replace(message, headers={**message.headers, ATTEMPT_HEADER: number})


def senders_attempt() -> int:
    """How many attempts the sender of the event that is being handled needed for it."""
    delivery = _handled.get()
    number = delivery.headers.get(ATTEMPT_HEADER) if delivery else None
    return number if isinstance(number, int) and 1 <= number <= MAX_ATTEMPTS else 1


@contextmanager
def telling_outages() -> Iterator[None]:
    """Raise `Outage` for any error that says that the database or the broker is away."""
    try:
        yield
    except Exception as error:
        if is_outage(error):
            raise Outage(str(error)) from error
        raise


def publish_events(service: str, events: list[Message], *others: Outgoing) -> None:
    """Publish a handler's events to the service's own fanout, and wait for the confirms."""
    fanout = SERVICES[service].publishes_to.name
    outgoing = [*(Outgoing(each, fanout, each.type) for each in events), *others]
    if outgoing:
        process_publisher().publish(outgoing)


def replayed(delivery: Delivery) -> list[Outgoing]:
    """For a replayed message, the news that it succeeded."""
    if "replay" not in delivery.headers:
        return []
    return [Outgoing(_replay_succeeded(delivery), "", replay_outcomes.name)]


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
