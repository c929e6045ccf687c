"""Fills a database with copies of the orders in it, so that it is as big as a shop's of years."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

from bson import ObjectId
from pymongo import WriteConcern
from pymongo.database import Database

from benchmarks.faithfulness import FILLER, NOT_FILLER

CHUNK_ORDERS = 2_000

Copies = dict[str, dict[str, Any]]


def fill_up(database: Database[dict[str, Any]], count: int) -> None:
    """Copy orders with their effects, under new ids, until there are `count`."""
    missing = count - database["orders"].estimated_document_count()
    copies = islice(_copies(database), max(missing, 0))
    while chunk := list(islice(copies, CHUNK_ORDERS)):
        for name in chunk[0]:
            collection = database[name].with_options(write_concern=WriteConcern(w=1))
            collection.insert_many([each[name] for each in chunk], ordered=False)
    # What follows is not measured beside the writing of it all to disk.
    database.client.admin.command("fsync")


def _copies(database: Database[dict[str, Any]]) -> Iterator[Copies]:
    """For each copied order without end: its document by collection."""
    effects = {
        name: {each["_id"]: each for each in database[name].find(NOT_FILLER)}
        for name in ("reservations", "invoices")
    }
    for number, order in enumerate(cycle(list(database["orders"].find(NOT_FILLER)))):
        order_id, old_id = ObjectId(), str(order["_id"])
        yield {
            "orders": {**order, "_id": order_id, FILLER: True},
            **{
                name: {
                    **documents[old_id],
                    "_id": str(order_id),
                    **_distinct(documents[old_id], number),
                }
                for name, documents in effects.items()
            },
        }


def _distinct(effect: dict[str, Any], number: int) -> dict[str, Any]:
    # An invoice's number is its own.
    return {FILLER: True, **({"number": f"filler-{number}"} if "number" in effect else {})}
