"""What orders does when another service has done something about an order."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from messaging.errors import InvalidMessage
from messaging.handlers import handles
from messaging.message import Message
from orders import ledger

RUNBOOK = (
    "The ledger notes each state once, so a replay is always safe. 'Orders never took' means that "
    "the order came from a foreign publisher: discard it."
)


class Outcome(Struct, frozen=True, rename="camel"):
    """What orders reads of another service's event."""

    order_id: str | int
    reason: str | None = None
    invoice_number: str | None = None


@handles("orders", "inventory.reserved", replay_safe=True, runbook=RUNBOOK)
def note_reserved(body: dict[str, Any]) -> list[Message]:
    outcome = read(body)
    ledger.record(str(outcome.order_id), "inventory", "reserved")
    return []


@handles("orders", "inventory.rejected", replay_safe=True, runbook=RUNBOOK)
def note_rejected(body: dict[str, Any]) -> list[Message]:
    outcome = read(body)
    ledger.record(str(outcome.order_id), "inventory", "rejected", outcome.reason)
    return []


@handles("orders", "inventory.released", replay_safe=True, runbook=RUNBOOK)
def note_released(body: dict[str, Any]) -> list[Message]:
    outcome = read(body)
    ledger.record(str(outcome.order_id), "inventory", "released")
    return []


@handles("orders", "inventory.shipped", replay_safe=True, runbook=RUNBOOK)
def note_shipped(body: dict[str, Any]) -> list[Message]:
    outcome = read(body)
    ledger.record(str(outcome.order_id), "inventory", "shipped")
    return []


@handles("orders", "billing.invoiced", replay_safe=True, runbook=RUNBOOK)
def note_invoiced(body: dict[str, Any]) -> list[Message]:
    outcome = read(body)
    ledger.record(str(outcome.order_id), "billing", "invoiced", outcome.invoice_number)
    return []


@handles("orders", "billing.credited", replay_safe=True, runbook=RUNBOOK)
def note_credited(body: dict[str, Any]) -> list[Message]:
    outcome = read(body)
    ledger.record(str(outcome.order_id), "billing", "credited", outcome.invoice_number)
    return []


def read(body: dict[str, Any]) -> Outcome:
    """Raises InvalidMessage: a field is missing or of the wrong type; it is named."""
    try:
        return msgspec.convert(body, Outcome)
    except msgspec.ValidationError as error:
        raise InvalidMessage(f"The event is no outcome of an order: {error}") from error
