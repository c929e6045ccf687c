"""Brings units in: the opening stock of a new product, and what arrives later.

Restocking answers nobody's order anew: an order that was rejected stays rejected, and the new
units are there for the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo.client_session import ClientSession

from inventory.movements import arrival, movement_id, movements
from inventory.refusals import KeyReused, UnknownSku
from inventory.stock import Kind, having, products, shift
from messaging.transactions import in_transaction

Product = dict[str, Any]


def restock(sku: str, quantity: int, *, key: str, by: str) -> Product:
    """Add units to what is available of the SKU, and return the product as it then is.

    Args:
        quantity: 1 or more.
        key: tells this delivery from another one; the same key again adds nothing.
        by: the user who restocks.

    Raises:
        UnknownSku: the SKU is not in the catalogue.
        KeyReused: the key was used for another quantity.
        Outage: MongoDB is away or the documents are held, see `messaging.transactions`.
    """

    def restock_once(session: ClientSession) -> Product:
        if not _is_known(sku, quantity, key, session):
            if not shift(Kind.RESTOCK, {sku: quantity}, session):
                raise UnknownSku(sku)
            now = datetime.now(UTC)
            movements().insert_one(
                arrival(Kind.RESTOCK, sku, quantity, key=key, at=now, by=by), session=session
            )
        product = products().find_one(having([sku]), session=session)
        assert product is not None
        return product

    return in_transaction(restock_once)


def add_products(new: Sequence[Product], by: str | None = None) -> int:
    """Put the products of which the catalogue lacks the SKU into it; return how many it was.

    Each has the catalogue's fields; its `available` units are its opening stock.
    """

    def add(session: ClientSession) -> int:
        skus = having([product["sku"] for product in new])
        known = set(products().distinct("sku", skus, session=session))
        added = [product for product in new if product["sku"] not in known]
        if added:
            products().insert_many([{**product} for product in added], session=session)
            movements().insert_many([_opening(product, by) for product in added], session=session)
        return len(added)

    return in_transaction(add)


def _opening(product: Product, by: str | None) -> dict[str, Any]:
    return arrival(
        Kind.OPENING, product["sku"], product["available"], key="", at=datetime.now(UTC), by=by
    )


def _is_known(sku: str, quantity: int, key: str, session: ClientSession) -> bool:
    """Whether this delivery was recorded before."""
    one = {"_id": movement_id(Kind.RESTOCK, key, sku)}
    movement = movements().find_one(one, session=session)
    if movement is not None and movement["available"] != quantity:
        raise KeyReused(key, movement["available"])
    return movement is not None
