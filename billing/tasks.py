"""Billing's handlers of the events of orders."""

from __future__ import annotations

from typing import Any

from billing import batches, events, invoicing, order_in_message
from messaging.body import readable
from messaging.handling.handlers import handles
from messaging.message import Message
from messaging.service import PENDING


def issue_many_invoices(bodies: list[dict[str, Any]]) -> list[list[Message] | None]:
    """Issue at once the invoices of all of the orders that can be read."""
    orders = readable(bodies, order_in_message.read_placed)
    invoices = iter(batches.issue_many([each for each in orders if each]))
    return [[events.billed(next(invoices))] if each else None for each in orders]


@handles(
    "billing",
    "order.placed",
    replay_safe=True,
    validate=order_in_message.read_placed,
    batch=issue_many_invoices,
    consequence="{order} has no invoice; inventory is not affected.",
    runbook=(
        "Invoices are issued once for each order, so a replay never bills twice. A body that "
        "is wrong stays wrong: correct it at its publisher and discard the message."
    ),
)
def issue_invoice(body: dict[str, Any]) -> list[Message]:
    """Issue the order's invoice unless the order was withdrawn before, and publish the result."""
    return [events.billed(invoicing.issue(order_in_message.read_placed(body)))]


NOT_CREDITED = "The invoice of {order} is not credited."
NOTHING_TO_CREDIT = {
    PENDING: (
        "{order} has no invoice, so nothing is to be credited; one that billing issues later is "
        "not credited until this is handled."
    )
}
CREDIT_RUNBOOK = "Crediting twice changes nothing, so a replay is safe, also long after the order."


@handles(
    "billing",
    "order.rejected",
    replay_safe=True,
    validate=order_in_message.read_withdrawn,
    consequence=NOT_CREDITED,
    consequence_if=NOTHING_TO_CREDIT,
    runbook=CREDIT_RUNBOOK,
)
def credit_rejected(body: dict[str, Any]) -> list[Message]:
    """Credit the invoice of an order that inventory rejected, or prevent it, and publish the
    result.
    """
    return credit_invoice(body)


@handles(
    "billing",
    "order.cancelled",
    replay_safe=True,
    validate=order_in_message.read_withdrawn,
    consequence=NOT_CREDITED,
    consequence_if=NOTHING_TO_CREDIT,
    runbook=CREDIT_RUNBOOK,
)
def credit_cancelled(body: dict[str, Any]) -> list[Message]:
    """Credit the invoice of an order that was cancelled, or prevent it, and publish the result."""
    return credit_invoice(body)


def credit_invoice(body: dict[str, Any]) -> list[Message]:
    return [events.billed(invoicing.credit(order_in_message.read_withdrawn(body)))]
