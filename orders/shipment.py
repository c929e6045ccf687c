"""Noting in the order that its goods leave the house, in the very transaction in which they do.

So no cancellation can be answered in between, until orders has heard `inventory.shipped`.
"""

from __future__ import annotations

from pymongo.client_session import ClientSession

from messaging.order_id import object_id
from orders.collection import orders
from runtime.milliseconds import now_in_milliseconds


def note_shipped(order_id: str, session: ClientSession) -> bool:
    """Bring the order to the status `shipped`; False where it was cancelled.

    An order that orders never took is not its business.
    """
    key = object_id(order_id)
    if key is None:
        return True
    now = now_in_milliseconds()
    noted = orders().update_one(
        {"_id": key, "status": {"$ne": "cancelled"}},
        {"$set": {"shipped_at": now, "status": "shipped", "updated_at": now}},
        session=session,
    )
    return bool(noted.matched_count) or orders().find_one({"_id": key}, session=session) is None
