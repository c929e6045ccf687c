"""Cancelling an order, up to the moment when its goods leave the house.

Like every change of an order it is one conditional update, which also puts `order.cancelled` into
the outbox: inventory then releases what it reserved, and billing credits what it invoiced. A
cancelled order stays cancelled, whatever the services say later: they may say it about a time
before they heard of the cancellation. `orders.shipment` notes a shipment in the order at once, so
that of the two the first one wins.
"""

from __future__ import annotations

from typing import Any

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

from orders.collection import orders
from orders.ledger import entries_after, pending_event
from orders.owed import owed_after, since
from orders.problem_types import ORDER_SHIPPED
from orders.requests.cancellation_request import TITLE
from runtime.milliseconds import now_in_milliseconds
from runtime.requests import entity_tag
from runtime.requests.refusal import Fault, Refusal

SHIPPED = Fault(
    field="orderId",
    detail="was shipped, so it can no longer be cancelled",
    fix="Have the goods sent back.",
)


def cancel(
    order_id: ObjectId,
    reason: str | None,
    seen: dict[str, Any] | None = None,
    session: ClientSession | None = None,
) -> dict[str, Any]:
    """Cancel the order and return it; one that is cancelled keeps its first reason.

    Args:
        seen: the order as it has to be still; None where it may have changed.
        session: of the transaction that it is part of, if any.

    Raises:
        Refusal: the order was shipped (409), or is not as it was seen (412).
        pymongo.errors.PyMongoError: MongoDB did not answer; cancelling again is safe.
    """
    cancellable = {
        "_id": order_id,
        "status": {"$ne": "cancelled"},
        "ledger.inventory.state": {"$ne": "shipped"},
        "shipped_at": None,
        **state_of(seen),
    }
    cancelled = orders().find_one_and_update(
        cancellable, change(reason), return_document=ReturnDocument.AFTER, session=session
    )
    return cancelled or earlier_cancelled(order_id, seen)


def state_of(seen: dict[str, Any] | None) -> dict[str, Any]:
    """Finds an order that has not changed since it was seen."""
    return {name: seen.get(name) for name in ("version", "updated_at")} if seen else {}


#: The order's next, as an expression of an update.
VERSION = {"$add": ["$version", 1]}


def change(reason: str | None) -> list[dict[str, Any]]:
    """The pipeline that writes the cancellation and its event."""
    now = now_in_milliseconds()
    event = pending_event("order.cancelled", now)
    return [
        {
            "$set": {
                "status": "cancelled",
                "cancellation": {"at": now, "reason": {"$literal": reason}, "version": VERSION},
                "version": VERSION,
                "updated_at": now,
            }
        },
        # Within one stage `$version` is still the old one.
        {
            "$set": {
                "pending_events": {"$concatArrays": ["$pending_events", [event]]},
                "pending_since": {"$ifNull": ["$pending_since", now]},
                **entries_after("order.cancelled"),
                "awaited": {
                    "$setUnion": [{"$ifNull": ["$awaited", []]}, *owed_after("order.cancelled")]
                },
            }
        },
        {"$set": {"awaited_since": since(now)}},
    ]


def earlier_cancelled(order_id: ObjectId, seen: dict[str, Any] | None) -> dict[str, Any]:
    """The order that there was nothing to cancel of.

    Raises:
        Refusal: since it was shipped, or has changed.
    """
    order = orders().find_one({"_id": order_id, **state_of(seen)})
    if order is None:
        raise entity_tag.changed(TITLE)
    if order["status"] != "cancelled":
        raise Refusal(TITLE, [SHIPPED], ORDER_SHIPPED)
    return order
