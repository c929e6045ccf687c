"""Restores an order that the database has lost, from its invoice."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from orders.collection import orders
from orders.owed import keys_of, ledger_at_first
from runtime.milliseconds import now_in_milliseconds


def rebuild(
    invoice: dict[str, Any], cancelled: dict[str, Any] | None, session: ClientSession
) -> None:
    """Store the order of the invoice, with the event that lets its services answer again.

    `cancelled` is its cancellation, {at, reason}; None unless it was cancelled.
    """
    order_id, now = ObjectId(invoice["_id"]), now_in_milliseconds()
    type_ = "order.cancelled" if cancelled else "order.placed"
    document = {
        "_id": order_id,
        "user_id": invoice["user_id"],
        "items": [
            {"sku": line["sku"], "quantity": line["quantity"], "unit_price": line["unit_price"]}
            for line in invoice["items"]
        ],
        "total": invoice["total"],
        "currency": invoice["currency"],
        "status": "cancelled" if cancelled else "placed",
        "version": 1,
        # An order's id begins with the second in which it was made.
        "created_at": placed_at(order_id),
        "updated_at": now,
        "ledger": {**ledger_at_first()},
        "awaited": keys_of(type_),
        "awaited_since": now,
        "pending_events": [{"id": f"{type_}:{order_id}", "type": type_, "version": 1, "at": now}],
        "pending_since": now,
    }
    orders().insert_one(
        document | ({"cancellation": {**cancelled, "version": 1}} if cancelled else {}),
        session=session,
    )


def placed_at(order_id: ObjectId) -> datetime:
    return order_id.generation_time
