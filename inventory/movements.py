"""The log of every change of a quantity, from which each quantity can be computed again.

A movement is written in the transaction that moves the units, and never changed. Its id says
what it tells of, so that MongoDB itself refuses to move the same units for the same reason twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from pymongo.collection import Collection

from inventory.stock import EFFECTS, Kind
from runtime.stored_documents import AWARE

#: As stored in `stock_movements`: _id ("reserve:6743…:pen"), kind, sku, order_id (of what an
#: order moved), by (who, of what a person moved), available, reserved, shipped (what was added
#: to each), at.
Movement = dict[str, Any]


def of_order(
    kind: Kind, order_id: str, quantities: Mapping[str, int], at: datetime, by: str | None = None
) -> list[Movement]:
    """One movement for each SKU that the order moves, at most once of each kind."""
    return [
        _movement(kind, order_id, sku, quantity, at) | {"order_id": order_id, "by": by}
        for sku, quantity in quantities.items()
    ]


def arrival(
    kind: Kind, sku: str, quantity: int, *, key: str, at: datetime, by: str | None
) -> Movement:
    """Units that come in; `key` identifies one delivery of the SKU."""
    return _movement(kind, key, sku, quantity, at) | {"order_id": None, "by": by}


def movements() -> Collection[Movement]:
    """The log, its dates aware, in UTC; past Django's query log."""
    collection: Collection[Movement] = connection.database.get_collection(
        "stock_movements", codec_options=AWARE
    )
    return collection


def movement_id(kind: Kind, key: str, sku: str) -> str:
    """`reserve:6743…:pen`; a SKU of the catalogue has no colon, so no two ids are alike."""
    return f"{kind}:{key}:{sku}"


def ids_of_order(order_id: str, skus: Iterable[str]) -> list[str]:
    """The ids that all movements of an order have, or will have, by the SKUs of its lines."""
    kinds = (Kind.RESERVE, Kind.RELEASE, Kind.SHIP)
    return [movement_id(kind, order_id, sku) for sku in skus for kind in kinds]


def _movement(kind: Kind, key: str, sku: str, quantity: int, at: datetime) -> Movement:
    effects = EFFECTS[kind]
    return {
        "_id": movement_id(kind, key, sku),
        "kind": kind.value,
        "sku": sku,
        "available": effects.get("available", 0) * quantity,
        "reserved": effects.get("reserved", 0) * quantity,
        "shipped": effects.get("shipped", 0) * quantity,
        "at": at,
    }
