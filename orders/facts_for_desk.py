"""The facts about orders for the desk: has an order changed since a message was published?"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from messaging.isolation import isolated
from messaging.order_id import object_id
from orders.collection import orders

logger = logging.getLogger(__name__)

UNREADABLE = (
    "The document of order %s is not as this release stores one, so the desk does not know what "
    "became of it. Its failed messages are shown, and replayed as those of an unknown order are."
)


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
    """The facts of those orders that there are, by id as it is asked for."""
    ids = {id_: key for id_ in order_ids if (key := object_id(id_))}
    wanted = {
        "status": True,
        "version": True,
        "total": True,
        "currency": True,
        "steps": True,
        "ledger": True,
    }
    found = orders().find({"_id": {"$in": [*ids.values()]}}, wanted)
    told = {order["_id"]: fact for order in found if (fact := _readable(order))}
    return {id_: told[key] for id_, key in ids.items() if key in told}


def _readable(order: dict[str, Any]) -> Facts | None:
    """The order's facts; None where its document cannot be read."""
    with isolated(logger, UNREADABLE, order["_id"]):
        return _facts(order)
    return None


def _facts(order: dict[str, Any]) -> Facts:
    total = order["total"].to_decimal()
    if not total.is_finite():
        # Nothing could be added to it, or be more or less.
        raise ValueError(f"its total is {total}")
    return Facts(
        status=order["status"],
        # Orders of an earlier release have null in place of no steps.
        version=order["version"] - len(order.get("steps") or ()),
        total=total,
        currency=order["currency"],
        ledger={service: entry["state"] for service, entry in order["ledger"].items()},
    )
