"""What the operator's desk asks about orders: are they still what a message took them for?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bson import ObjectId

from orders.collection import orders


@dataclass(frozen=True, slots=True)
class Facts:
    """One order, as it is now."""

    status: str
    #: How often the order itself has changed, counted from 1; the ledger's steps do not count.
    version: int
    total: Decimal
    #: ISO 4217.
    currency: str
    #: What each service has done about it: `{"inventory": "reserved", "billing": "pending"}`.
    ledger: dict[str, str]


def facts(order_ids: list[str]) -> dict[str, Facts]:
    """The facts of those orders that there are, by id."""
    ids = [ObjectId(id_) for id_ in order_ids if ObjectId.is_valid(id_)]
    wanted = {
        "status": True,
        "version": True,
        "total": True,
        "currency": True,
        "steps": True,
        "ledger": True,
    }
    return {
        str(order["_id"]): _facts(order) for order in orders().find({"_id": {"$in": ids}}, wanted)
    }


def _facts(order: dict[str, Any]) -> Facts:
    return Facts(
        status=order["status"],
        version=order["version"] - len(order.get("steps", ())),
        total=order["total"].to_decimal(),
        currency=order["currency"],
        ledger={service: entry["state"] for service, entry in order["ledger"].items()},
    )
