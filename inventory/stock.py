"""The units of each product: where they are, and the only ways in which they move."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.db import connection
from pymongo import UpdateMany
from pymongo.client_session import ClientSession
from pymongo.collection import Collection


class Kind(StrEnum):
    """Why units moved."""

    OPENING = "opening"
    RESTOCK = "restock"
    RESERVE = "reserve"
    RELEASE = "release"
    SHIP = "ship"


#: Where units are.
QUANTITIES = ("available", "reserved", "shipped")

#: MongoDB's largest integer: of no SKU can there be more units in all.
MAX_UNITS = 2**63 - 1

#: What moving one unit adds to each quantity of its product. Only the first two bring units in.
EFFECTS: Mapping[Kind, Mapping[str, int]] = {
    Kind.OPENING: {"available": 1},
    Kind.RESTOCK: {"available": 1},
    Kind.RESERVE: {"available": -1, "reserved": 1},
    Kind.RELEASE: {"available": 1, "reserved": -1},
    Kind.SHIP: {"reserved": -1, "shipped": 1},
}


def shift(kind: Kind, quantities: Mapping[str, int], session: ClientSession) -> bool:
    """Move so many units of each SKU; False if some SKU hadn't enough where they come from.

    After False some SKUs may have moved, so the transaction has to be abandoned. SKUs that
    move the same quantity share one statement, and all statements one request.
    """
    skus_by_quantity: dict[int, list[str]] = defaultdict(list)
    for sku, quantity in quantities.items():
        skus_by_quantity[quantity].append(sku)
    statements = [_statement(kind, quantity, skus) for quantity, skus in skus_by_quantity.items()]
    result = products().bulk_write(statements, session=session)
    return result.modified_count == len(quantities)


def having(skus: list[str]) -> dict[str, Any]:
    """The filter that finds these SKUs through their index."""
    # The unique index is partial on the type: without it MongoDB reads the whole catalogue.
    return {"sku": {"$in": skus, "$type": "string"}}


def units_of(product: Mapping[str, Any], where: str) -> int | None:
    """How many of its units are there: 0 where another program has stored none; None: no number."""
    units = product.get(where, 0)
    is_number = isinstance(units, int) and not isinstance(units, bool)
    if is_number or (isinstance(units, float) and units.is_integer()):
        return int(units)
    return None


def products() -> Collection[dict[str, Any]]:
    """The catalogue; past Django's query log, which would keep every statement of a worker."""
    return connection.database["products"]


def _statement(kind: Kind, quantity: int, skus: list[str]) -> UpdateMany:
    effects = EFFECTS[kind]
    taken_from = {where: {"$gte": quantity} for where, effect in effects.items() if effect < 0}
    change = {where: effect * quantity for where, effect in effects.items()}
    return UpdateMany({**having(skus), **taken_from}, {"$inc": change})
