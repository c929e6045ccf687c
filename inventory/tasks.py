"""Inventory's handlers of the events of orders."""

from __future__ import annotations

from typing import Any

from inventory import batches, events, order_in_message, releasing, reserving
from messaging.body import readable
from messaging.handling.handlers import handles
from messaging.message import Message
from messaging.service import PENDING


def reserve_stock_for_many(bodies: list[dict[str, Any]]) -> list[list[Message] | None]:
    """Reserve at once for all of the orders that can be read and that there is enough for."""
    orders = readable(bodies, order_in_message.read)
    reservations = iter(batches.reserve_plenty([each for each in orders if each]))
    answers = [next(reservations) if each else None for each in orders]
    return [[events.answered(answer)] if answer else None for answer in answers]


@handles(
    "inventory",
    "order.placed",
    replay_safe=True,
    validate=order_in_message.read,
    batch=reserve_stock_for_many,
    consequence="{order} has no reservation; billing is not affected.",
    runbook=(
        "An order gets one answer, so a replay never moves stock twice. 'Not in the catalogue': "
        "add the product in the admin, then replay. A body that is wrong stays wrong: correct "
        "it at its publisher and discard the message."
    ),
)
def reserve_stock(body: dict[str, Any]) -> list[Message]:
    """Reserve the order's lines or reject the order, and publish which."""
    return [events.answered(reserving.reserve(order_in_message.read(body)))]


@handles(
    "inventory",
    "order.cancelled",
    replay_safe=True,
    validate=order_in_message.read,
    consequence="What {order} had reserved is not available again; billing is not affected.",
    consequence_if={
        PENDING: (
            "Nothing is reserved for {order}, so nothing is to be released; what inventory "
            "reserves later is not released until this is handled."
        ),
        "rejected": "Nothing was reserved for {order}, so nothing is to be released.",
        "shipped": "The goods of {order} have left the house, so nothing is released.",
    },
    runbook=(
        "Stock is released once for each order, so a replay never moves it twice. 'Was shipped': "
        "the cancellation came too late; take the goods back, restock them, discard the message."
    ),
)
def release_stock(body: dict[str, Any]) -> list[Message]:
    """Put the order's units back, or make sure that it gets none, and publish that."""
    return [events.answered(releasing.release(order_in_message.read(body)))]
