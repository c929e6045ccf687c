"""One run of a handler: call it, and publish the events that it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from messaging.handling.dead_letters import worker_name
from messaging.incoming import ATTEMPT_HEADER, Delivery
from messaging.message import Message
from messaging.outages import is_outage
from messaging.publishing.publisher import Outgoing, process_publisher
from messaging.service import exchange_of
from messaging.topology import by_name, replay_outcomes
from runtime.outage import Outage

Body = dict[str, Any]
Handle = Callable[[Body], list[Message]]
#: Takes many bodies; returns each one's events, or None for a body that must be handled alone.
HandleBatch = Callable[[list[Body]], list[list[Message] | None]]


#: Called with (service, type, bodies) before a handler runs; what one raises counts as the
#: handler's own error.
before_handling: list[Callable[[str, str, list[Body]], None]] = []

#: Numbers beyond it are no publisher's of ours.
MAX_ATTEMPTS = 1_000

#: What is being handled, where it is not a batch.
_handled: ContextVar[Delivery | None] = ContextVar("handled", default=None)


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
        publish_events(events, *replayed(delivery))


def attempt_batch(
    handle_batch: HandleBatch, service: str, type_: str, bodies: list[bytes]
) -> list[int]:
    """Run a handler once for many messages and publish what it returns, in one round.

    Returns the indexes of the messages that it has left to be handled alone.

    Raises:
        Outage: the database or the broker is away.
        Exception: whatever the handler raises.
    """
    with telling_outages():
        decoded = [msgspec.json.decode(body) for body in bodies]
        for check in before_handling:
            check(service, type_, decoded)
        answers = handle_batch(decoded)
        publish_events([each for events in answers if events for each in events])
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


def publish_events(events: list[Message], *others: Outgoing) -> None:
    """Publish a handler's events where the service declares it, and wait for the confirms."""
    outgoing = [
        *(Outgoing(each, exchange_of(each.type).name, each.type) for each in events),
        *others,
    ]
    if outgoing:
        process_publisher().publish(outgoing)


def replayed(delivery: Delivery) -> list[Outgoing]:
    """For a replayed message, the news that it succeeded."""
    if "replay" not in delivery.headers:
        return []
    return [Outgoing(_replay_succeeded(delivery), by_name.name, replay_outcomes.name)]


def _replay_succeeded(delivery: Delivery) -> Message:
    replay_id = str(delivery.headers["replay"])
    outcome = {
        "replayId": replay_id,
        "service": delivery.service,
        "messageId": delivery.message_id,
        "at": datetime.now(UTC),
        "worker": worker_name(delivery.service),
    }
    return Message(
        body=msgspec.json.encode(outcome),
        type="replay.succeeded",
        message_id=f"replay.succeeded:{replay_id}",
        correlation_id=delivery.correlation_id,
    )
