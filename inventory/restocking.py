"""Adds units: the opening stock of a new product, and later deliveries.

Restocking changes no order: one that was rejected stays rejected, and the new
units are there for the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pymongo.client_session import ClientSession

from inventory.movements import Movement, arrival, movement_id, movements
from inventory.refusals import KeyReused, NoNumber, TooManyUnits, UnknownSku
from inventory.stock import MAX_UNITS, QUANTITIES, Kind, having, products, shift, units_of
from runtime.transactions import in_transaction

Product = dict[str, Any]


class Delivery(NamedTuple):
    """Units that were added to a product, by this call or by an earlier one."""

    #: As it is now.
    product: Product
    #: What the log says of the delivery: who added it, and when.
    movement: Movement
    is_repeated: bool


def deliver(sku: str, quantity: int, *, key: str, by: str) -> Delivery:
    """Add units to what is available of the SKU, once.

    Args:
        quantity: 1 or more.
        key: identifies this delivery; the same key again adds nothing.
        by: the user who restocks.

    Raises:
        UnknownSku: the SKU is not in the catalogue.
        KeyReused: the key was used for another quantity.
        NoNumber: another program has stored something else than numbers of units.
        TooManyUnits: MongoDB could not count the product's units any more.
        Outage: MongoDB is down or the documents are held, see `runtime.transactions`.
    """

    def deliver_once(session: ClientSession) -> Delivery:
        product = products().find_one(having([sku]), session=session)
        if product is None:
            raise UnknownSku(sku)
        product |= _units(product)
        if earlier := _earlier(sku, quantity, key, session):
            return Delivery(product, earlier, is_repeated=True)
        _check_room(product, quantity)
        if not shift(Kind.RESTOCK, {sku: quantity}, session):
            raise UnknownSku(sku)
        movement = arrival(Kind.RESTOCK, sku, quantity, key=key, at=datetime.now(UTC), by=by)
        movements().insert_one(movement, session=session)
        after = product | {"available": product["available"] + quantity}
        return Delivery(after, movement, is_repeated=False)

    return in_transaction(deliver_once)


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


def _earlier(sku: str, quantity: int, key: str, session: ClientSession) -> Movement | None:
    """What the log has of this delivery already."""
    # To earlier releases a key in quotes was another one, and these keys are kept for ever.
    ids = [movement_id(Kind.RESTOCK, each, sku) for each in (key, f'"{key}"')]
    movement = movements().find_one({"_id": {"$in": ids}}, session=session)
    if movement is not None and movement["available"] != quantity:
        raise KeyReused(key, movement["available"])
    return movement


def _units(product: Product) -> dict[str, int]:
    """Its three quantities; one that another program has not stored is none.

    Raises:
        NoNumber: one of them is something else.
    """
    units: dict[str, int] = {}
    for where in QUANTITIES:
        stored = units_of(product, where)
        if stored is None:
            raise NoNumber(product["sku"], where)
        units[where] = stored
    return units


def _check_room(product: Product, quantity: int) -> None:
    """Units move between the three quantities, so each has to have room for all of them."""
    units = sum(product[where] for where in QUANTITIES)
    if units + quantity > MAX_UNITS:
        raise TooManyUnits(product["sku"], units)
