"""A run counts only if every order in it has had each effect exactly once."""

from __future__ import annotations

from typing import Any

from pymongo.database import Database

#: Marks the copies with which a database was filled up; they never went through a pipeline.
FILLER = "filler"
NOT_FILLER = {FILLER: {"$exists": False}}


class Unfaithful(Exception):
    """An order was lost, or an effect of it is missing or there twice."""


def check(database: Database[dict[str, Any]], placed: int, errors: int) -> int:
    """Compare the orders with their reservations, their invoices and the stock taken.

    `placed` orders were answered with 201. An order whose client got one of `errors` may be there
    without effects. Returns how many orders there are.

    Raises:
        Unfaithful: they don't match.
    """
    found = database["orders"].find(NOT_FILLER, {"items": 1})
    orders = {str(order["_id"]): order for order in found}
    if not placed <= len(orders) <= placed + errors:
        raise Unfaithful(f"{placed} orders were answered with 201, {len(orders)} are stored")
    for effect in ("reservations", "invoices"):
        _compare(effect, orders, _order_ids(database, effect), errors)
    _check_stock(database, orders)
    return len(orders)


def _order_ids(database: Database[dict[str, Any]], effect: str) -> list[str]:
    return [each["_id"] for each in database[effect].find(NOT_FILLER, {"_id": 1})]


def _compare(effect: str, orders: dict[str, Any], order_ids: list[str], errors: int) -> None:
    # Their key is the order's id, so that one can't be there twice; its stock could be taken twice.
    missing, foreign = orders.keys() - set(order_ids), set(order_ids) - orders.keys()
    if len(missing) > errors or foreign:
        raise Unfaithful(f"{effect}: {len(missing)} orders have none, {len(foreign)} have no order")


def _check_stock(database: Database[dict[str, Any]], orders: dict[str, Any]) -> None:
    refused = database["reservations"].count_documents({"state": {"$ne": "reserved"}, **NOT_FILLER})
    if refused:
        raise Unfaithful(f"{refused} orders were not reserved, and there is stock for all")
    reserved = database["reservations"].find({"state": "reserved", **NOT_FILLER}, {"_id": 1})
    promised = sum(line["quantity"] for each in reserved for line in orders[each["_id"]]["items"])
    taken = sum(product["reserved"] for product in database["products"].find())
    if promised != taken:
        raise Unfaithful(f"{promised} units were promised to orders, {taken} taken from stock")
