"""Orders that wait for billing alone, and what it gave up of them; stored as they then are."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from failed_messages.records.collection import failed_messages, failure_groups
from orders import placing
from orders.collection import orders
from tests.failed_messages.letters import bury
from tests.failed_messages.stored_orders import PEN, placed_body
from tests.polling import eventually


def order_of_billing() -> dict[str, Any]:
    """An order that was published, and that waits for billing alone."""
    order = placing.compose(101, {"pen": 1}, {"pen": PEN})
    del order["pending_events"], order["pending_since"]
    reserved = {"state": "reserved", "at": order["created_at"], "message_id": None, "detail": None}
    order["ledger"] = {**order["ledger"], "inventory": reserved}
    return {**order, "pending_events": [], "awaited": ["billing order.placed"]}


def fail_for_billing(count: int) -> None:
    """So many messages that billing gave up, made from one that the archiver has stored."""
    several = [order_of_billing() for _ in range(count)]
    orders().insert_many(several)
    bury(body=placed_body(several[0]), correlation_id=str(several[0]["_id"]))
    first = eventually(lambda: failed_messages().find_one({}))
    copies = [{**first, "_id": ObjectId(), **about(order)} for order in several[1:]]
    failed_messages().insert_many(copies)
    failure_groups().update_one({}, {"$set": {"deaths": count}})


def about(order: dict[str, Any]) -> dict[str, Any]:
    order_id = str(order["_id"])
    return {
        "message_id": f"order.placed:{order_id}",
        "correlation_id": order_id,
        "order_id": order_id,
        "body": placed_body(order),
    }
