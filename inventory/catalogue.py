"""The catalogue: what is sold, at which price; and how products come into it and out of it.

A product keeps its SKU for ever, as orders, reservations and invoices name it. One that is
withdrawn is no longer sold, and stays: what was ordered of it is reserved, shipped and released as
before, and it may be offered again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bson import Decimal128
from django.db import connection
from pymongo import ReturnDocument
from pymongo.collection import Collection

from inventory.restocking import Product, add_products
from inventory.stock import having
from runtime.money.price import Price
from runtime.stored_documents import AWARE

logger = logging.getLogger(__name__)

#: No product that was withdrawn; earlier releases had no such field.
IS_OFFERED = {"withdrawn_at": None}


class Page(NamedTuple):
    """Products by SKU, and whether more follow."""

    products: list[Product]
    has_more: bool


def page(words: str, after: str, most: int) -> Page:
    """The products that are offered, by SKU, those behind the SKU `after`.

    Args:
        words: each of them is in the SKU or the name, in capitals or not.
    """
    # `$type` lets MongoDB use the index, which is partial on the field's type.
    conditions = [{"sku": {"$type": "string", "$gt": after}}, IS_OFFERED, *map(_has, words.split())]
    found = list(products().find({"$and": conditions}).sort("sku", 1).limit(most + 1))
    return Page(found[:most], len(found) > most)


def find(sku: str) -> Product | None:
    """The product, whether it is offered or was withdrawn."""
    return products().find_one(having([sku]))


def add(sku: str, name: str, price: Price, available: int, by: str) -> Product | None:
    """Put a product into the catalogue; None where the SKU is there already.

    Raises:
        Outage: MongoDB is down, see `runtime.transactions`.
    """
    new = new_product(sku, name, price, available)
    if not add_products([new], by):
        return None
    logger.info("%s added the product %s", by, sku)
    return new


def new_product(sku: str, name: str, price: Price, available: int) -> Product:
    """The document of a product that is not in the catalogue yet."""
    return {
        "sku": sku,
        "name": name,
        "price": Decimal128(price.amount),
        "currency": price.currency,
        "available": available,
        "reserved": 0,
        "shipped": 0,
    }


def change(
    sku: str, changes: Mapping[str, Any], by: str, seen: Product | None = None
) -> Product | None:
    """Write these fields of the product and return it.

    Args:
        seen: the product as it has to be still; None where it may have changed.

    Returns:
        None where there is none, or it is not as it was seen.
    """
    as_seen = {} if seen is None else {name: seen.get(name) for name in SHOWN}
    if not changes:
        return products().find_one({**having([sku]), **as_seen})
    changed = products().find_one_and_update(
        {**having([sku]), **as_seen},
        {"$set": dict(changes)},
        return_document=ReturnDocument.AFTER,
    )
    if changed is not None:
        logger.info("%s changed %s of the product %s", by, " and ".join(changes), sku)
    return changed


def withdrawn() -> dict[str, Any]:
    """The change that takes a product out of the catalogue."""
    return {"withdrawn_at": datetime.now(UTC)}


def offered() -> dict[str, Any]:
    """The change that puts it into the catalogue again."""
    return {"withdrawn_at": None}


#: What a client sees of a product, as it is stored.
SHOWN = ("name", "price", "currency", "available", "withdrawn_at")


def products() -> Collection[Product]:
    """The catalogue as people and clients read it; inventory's handlers have `stock.products`."""
    return connection.database.get_collection("products", codec_options=AWARE)


def _has(word: str) -> dict[str, Any]:
    anywhere = {"$regex": re.escape(word), "$options": "i"}
    return {"$or": [{"sku": anywhere}, {"name": anywhere}]}
