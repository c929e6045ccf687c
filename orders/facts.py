"""What the operator's desk asks about orders: are they still what a message took them for?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bson import ObjectId

from orders.collection import orders
from orders.ledger import SEQUENCES


@dataclass(frozen=True, slots=True)
class Facts:
    """One order, as it is now."""

    status: str
    #: How often the order itself has changed, counted from 1; the ledger's moves do not count.
    version: int
    total: Decimal
    #: ISO 4217.
    currency: str


def facts(order_ids: list[str]) -> dict[str, Facts]:
    """The facts of those orders that there are, by id."""
    ids = [ObjectId(id_) for id_ in order_ids if ObjectId.is_valid(id_)]
    wanted = {"status": True, "version": True, "total": True, "currency": True, "ledger": True}
    return {
        str(order["_id"]): _facts(order) for order in orders().find({"_id": {"$in": ids}}, wanted)
    }


def _facts(order: dict[str, Any]) -> Facts:
    return Facts(
        status=order["status"],
        version=max(1, order["version"] - _ledger_moves(order["ledger"])),
        total=order["total"].to_decimal(),
        currency=order["currency"],
    )


def _ledger_moves(ledger: dict[str, Any]) -> int:
    """At most so many of the order's versions are what other services' answers made."""
    return sum(
        states.index(ledger[service]["state"])
        for service, states in SEQUENCES.items()
        if ledger.get(service, {}).get("state") in states
    )
