"""The handlers of orders: they record the events of other services in the ledger."""

from __future__ import annotations

from functools import cache, partial
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from messaging.body import readable
from messaging.errors import InvalidMessage
from messaging.handling.attempts import senders_attempt
from messaging.handling.handlers import handles
from messaging.message import Message
from messaging.service import Event, Service, answering
from orders import ledger

Body = dict[str, Any]
Events = list[Message]

RUNBOOK = (
    "The ledger records each state once, so a replay is always safe. 'Orders never took' means "
    "that the order came from an external publisher: discard it. Or a backup was restored: then "
    "run `python manage.py reconcile_restore` first (docs/backup.md)."
)


class Outcome(Protocol):
    """What orders reads of another service's event."""

    order_id: str | int
    #: What the ledger has beside the state.
    detail: str | None


@cache
def outcome_of(event: Event) -> type[Struct]:
    """An `Outcome` of the fields that an event of this type has."""
    names = {each.name: each.encode_name for each in msgspec.structs.fields(event.body)}
    fields: list[Any] = [("order_id", str | int, msgspec.field(name="orderId"))]
    if event.detail:
        detail = msgspec.field(name=names[event.detail], default=None)
        return msgspec.defstruct("Outcome", [*fields, ("detail", str | None, detail)])
    return msgspec.defstruct("Outcome", fields, namespace={"detail": None})


def read(event: Event, body: Body) -> Outcome:
    """Raises InvalidMessage: a field is missing or of the wrong type; it is named."""
    try:
        outcome: Any = msgspec.convert(body, outcome_of(event))
    except msgspec.ValidationError as error:
        raise InvalidMessage(f"The event is not an outcome of an order: {error}") from error
    return outcome


def note(service: Service, event: Event, body: Body) -> Events:
    """Note one state of one order."""
    outcome = read(event, body)
    order_id, attempt = str(outcome.order_id), senders_attempt()
    ledger.record(order_id, service.name, event.state, outcome.detail, attempt)
    return []


def note_many(service: Service, event: Event, bodies: list[Body]) -> list[Events | None]:
    """Note one state of many orders at once; what is not known or not readable is left out."""
    outcomes = readable(bodies, partial(read, event))
    details = {str(each.order_id): each.detail for each in outcomes if each}
    noted = ledger.record_many(details, service.name, event.state)
    return [[] if each and noted[str(each.order_id)] else None for each in outcomes]


def hear(service: Service, event: Event) -> None:
    """Handle one type of event of another service."""

    def note_it(body: Body) -> Events:
        return note(service, event, body)

    note_it.__qualname__ = f"note_{event.state}"
    handles(
        "orders",
        event.type,
        # What it reads of a body is taken from the declaration, too.
        version=event.version,
        batch=partial(note_many, service, event),
        validate=partial(read, event),
        consequence=f"{{order}} does not know yet that it is {event.state} in {service.name}.",
        replay_safe=True,
        runbook=RUNBOOK,
    )(note_it)


for answering_service in answering():
    for answer in answering_service.publishes:
        hear(answering_service, answer)
