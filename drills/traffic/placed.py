"""The orders of a run: those of its users."""

from __future__ import annotations

from typing import Any

from pymongo.database import Database

from drills.cluster.replica_set import Document


def of_users(users: range) -> Document:
    """Finds what belongs to these users."""
    return {"user_id": {"$gte": users[0], "$lte": users[-1]}}


def order_ids(database: Database[Document], users: range, **wanted: Any) -> list[str]:
    """Ids of these users' orders, e.g. those with `status="confirmed"`, oldest first."""
    found = database["orders"].find(of_users(users) | wanted, {"_id": True})
    return sorted(str(order["_id"]) for order in found)
