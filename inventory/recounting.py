"""Computes every quantity again from the movements, and compares it with what is stored."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure

from inventory.movements import movements
from inventory.refusals import UnknownSku
from inventory.stock import QUANTITIES, having, products
from messaging.isolation import isolated
from runtime.transactions import in_transaction

logger = logging.getLogger(__name__)

CANNOT_RECOUNT = (
    "The stock of %s cannot be recounted, as its document or a movement is not as this release "
    "stores one; the others' is. Correct the document, then run manage.py recount_stock."
)

NOTHING = dict.fromkeys(QUANTITIES, 0)

# https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
SNAPSHOT_TOO_OLD = 239


@dataclass(frozen=True, slots=True)
class Difference:
    """A quantity that the movements don't explain."""

    sku: str
    #: "available", "reserved" or "shipped".
    quantity: str
    stored: int
    recounted: int


@dataclass(frozen=True, slots=True)
class Recount:
    """What was compared, and what differed."""

    products: int
    movements: int
    differences: list[Difference]


class HistoryTooShort(Exception):
    """MongoDB has forgotten the moment whose stock was being counted."""


class LessThanNone(Exception):
    """The movements of a product add up to less than no unit, so some of them are wrong."""


def recount() -> Recount:
    """Recompute every product's quantities; the pipeline may go on meanwhile.

    Products and movements are read as they were at one moment, which MongoDB remembers for a while.
    https://www.mongodb.com/docs/manual/reference/read-concern-snapshot/

    Raises:
        HistoryTooShort: MongoDB forgot that moment before all was read.
    """
    try:
        with connection.database.client.start_session(snapshot=True) as session:
            of_products = products().find({"sku": {"$type": "string"}}, session=session)
            stored = {product["sku"]: product for product in of_products}
            moved = _moved(session)
    except OperationFailure as error:
        if error.code != SNAPSHOT_TOO_OLD:
            raise
        raise HistoryTooShort from error
    differences: list[Difference] = []
    for sku in sorted({*stored, *moved}):
        with isolated(logger, CANNOT_RECOUNT, sku):
            differences += _differences(sku, stored.get(sku, {}), moved.get(sku, NOTHING))
    return Recount(
        products=len(stored),
        movements=sum(each["movements"] for each in moved.values()),
        differences=differences,
    )


def correct(sku: str) -> list[Difference]:
    """Store of a product what its movements add up to; return what differed.

    Raises:
        UnknownSku: there is no such product.
        LessThanNone: its movements cannot be right.
        Outage: MongoDB is down or the documents are held, see `runtime.transactions`.
    """

    def correct_once(session: ClientSession) -> list[Difference]:
        product = products().find_one(having([sku]), session=session)
        if product is None:
            raise UnknownSku(sku)
        moved = _moved(session, {"sku": sku}).get(sku, NOTHING)
        if min(moved[quantity] for quantity in QUANTITIES) < 0:
            raise LessThanNone
        found = list(_differences(sku, product, moved))
        if found:
            right = {"$set": {each.quantity: each.recounted for each in found}}
            products().update_one({"_id": product["_id"]}, right, session=session)
        return found

    return in_transaction(correct_once)


def _moved(
    session: ClientSession, which: dict[str, Any] | None = None
) -> dict[str, dict[str, Any]]:
    """The sums of all movements, or of `which`, of each SKU, and how many they are."""
    sums = {quantity: {"$sum": f"${quantity}"} for quantity in QUANTITIES}
    group = {"$group": {"_id": "$sku", "movements": {"$sum": 1}, **sums}}
    stages = [{"$match": which or {}}, group]
    found = movements().aggregate(stages, session=session, allowDiskUse=True)
    return {each["_id"]: each for each in found if isinstance(each["_id"], str)}


def _differences(
    sku: str, stored: dict[str, Any], recounted: dict[str, Any]
) -> Iterator[Difference]:
    for quantity in QUANTITIES:
        # A product that is not there has none.
        there, computed = int(stored.get(quantity, 0)), int(recounted[quantity])
        if there != computed:
            yield Difference(sku, quantity, there, computed)
