"""What orders does when another service has done something about an order."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from msgspec import Struct

from messaging.attempting import senders_attempt
from messaging.body import readable
from messaging.errors import InvalidMessage
from messaging.giving_way import giving_way
from messaging.handlers import handles
from messaging.message import Message
from orders import ledger

Events = list[Message]

#: The queues of those whose work a status only tells of.
EFFECTS = ("inventory", "billing")

RUNBOOK = (
    "The ledger notes each state once, so a replay is always safe. 'Orders never took' means that "
    "the order came from an external publisher: discard it. Or a backup was restored: then run "
    "`python manage.py reconcile_restore` first (docs/backup.md)."
)


class Outcome(Struct, frozen=True, rename="camel"):
    """What orders reads of another service's event."""

    order_id: str | int
    reason: str | None = None
    invoice_number: str | None = None

    def detail(self, state: str) -> str | None:
        """What the ledger tells beside the state."""
        if state == "rejected":
            return self.reason
        return self.invoice_number if state in ("invoiced", "credited") else None


def read(body: dict[str, Any]) -> Outcome:
    """Raises InvalidMessage: a field is missing or of the wrong type; it is named."""
    try:
        return msgspec.convert(body, Outcome)
    except msgspec.ValidationError as error:
        raise InvalidMessage(f"The event is no outcome of an order: {error}") from error


def note(service: str, state: str, body: dict[str, Any]) -> Events:
    """Note one state of one order."""
    outcome = read(body)
    ledger.record(
        str(outcome.order_id), service, state, outcome.detail(state), attempt=senders_attempt()
    )
    return []


def note_many(service: str, state: str, bodies: list[dict[str, Any]]) -> list[Events | None]:
    """Note one state of many orders at once; what is not known or not readable is left out."""
    giving_way().wait(EFFECTS)
    outcomes = readable(bodies, read)
    details = {str(each.order_id): each.detail(state) for each in outcomes if each}
    noted = ledger.record_many(details, service, state)
    return [[] if each and noted[str(each.order_id)] else None for each in outcomes]


@handles(
    "orders",
    "inventory.reserved",
    batch=partial(note_many, "inventory", "reserved"),
    replay_safe=True,
    shape=read,
    runbook=RUNBOOK,
)
def note_reserved(body: dict[str, Any]) -> Events:
    return note("inventory", "reserved", body)


@handles("orders", "inventory.rejected", replay_safe=True, shape=read, runbook=RUNBOOK)
def note_rejected(body: dict[str, Any]) -> Events:
    return note("inventory", "rejected", body)


@handles("orders", "inventory.released", replay_safe=True, shape=read, runbook=RUNBOOK)
def note_released(body: dict[str, Any]) -> Events:
    return note("inventory", "released", body)


@handles("orders", "inventory.shipped", replay_safe=True, shape=read, runbook=RUNBOOK)
def note_shipped(body: dict[str, Any]) -> Events:
    return note("inventory", "shipped", body)


@handles(
    "orders",
    "billing.invoiced",
    batch=partial(note_many, "billing", "invoiced"),
    replay_safe=True,
    shape=read,
    runbook=RUNBOOK,
)
def note_invoiced(body: dict[str, Any]) -> Events:
    return note("billing", "invoiced", body)


@handles("orders", "billing.credited", replay_safe=True, shape=read, runbook=RUNBOOK)
def note_credited(body: dict[str, Any]) -> Events:
    return note("billing", "credited", body)
