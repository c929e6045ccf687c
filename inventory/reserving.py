"""Promises stock to orders: all lines or none, once for each order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from pymongo import UpdateMany
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from inventory.order import PlacedOrder
from messaging.errors import PermanentError, TransientError
from messaging.transactions import in_transaction

#: As stored in `reservations`: _id (the order's id), user_id, state ("reserved" | "rejected"),
#: items [{sku, quantity}], shortages [{sku, asked, available}], created_at.
Reservation = dict[str, Any]


def reserve(order: PlacedOrder) -> Reservation:
    """Reserve every line of the order, or reject the whole order, and return what is recorded.

    An order that was answered before gets the same answer and moves no stock.

    Raises:
        PermanentError: a SKU is not in the catalogue.
        Outage: MongoDB is away or the documents are held, see `messaging.transactions`.
    """
    return in_transaction(lambda session: _recorded(order, session) or _decide(order, session))


def take(quantities: Mapping[str, int], session: ClientSession) -> bool:
    """Move units from available to reserved; False if some SKU hadn't enough.

    After False some SKUs may have moved, so the transaction has to be abandoned. SKUs that
    lose the same quantity share one statement, and all statements one request.
    """
    skus_by_quantity: dict[int, list[str]] = defaultdict(list)
    for sku, quantity in quantities.items():
        skus_by_quantity[quantity].append(sku)
    statements = [
        UpdateMany(
            {**_having(skus), "available": {"$gte": quantity}},
            {"$inc": {"available": -quantity, "reserved": quantity}},
        )
        for quantity, skus in skus_by_quantity.items()
    ]
    result = products().bulk_write(statements, session=session)
    return result.modified_count == len(quantities)


def reserved(order: PlacedOrder) -> Reservation:
    """The document that says that the order has all of its lines."""
    return {
        "_id": order.order_id,
        "user_id": order.user_id,
        "state": "reserved",
        "items": [{"sku": sku, "quantity": asked} for sku, asked in order.quantities.items()],
        "shortages": [],
        "created_at": datetime.now(UTC),
    }


def products() -> Collection[dict[str, Any]]:
    """The catalogue; past Django's query log, which would keep every statement of a worker."""
    return connection.database["products"]


def reservations() -> Collection[Reservation]:
    """Inventory's answers, by order id."""
    return connection.database["reservations"]


def _recorded(order: PlacedOrder, session: ClientSession) -> Reservation | None:
    return reservations().find_one({"_id": order.order_id}, session=session)


def _decide(order: PlacedOrder, session: ClientSession) -> Reservation:
    reservation = reserved(order)
    if shortages := _shortages(order.quantities, session):
        reservation |= {"state": "rejected", "shortages": shortages}
    reservations().insert_one(reservation, session=session)
    if not shortages and not take(order.quantities, session):
        # The transaction's snapshot rules this out; never promise what was not taken.
        raise TransientError(f"The stock of order {order.order_id} changed while it was reserved.")
    return reservation


def _shortages(quantities: Mapping[str, int], session: ClientSession) -> list[dict[str, Any]]:
    """What is asked beyond what is there, [{sku, asked, available}], in the order's sequence."""
    found = products().find(
        _having(list(quantities)), {"_id": 0, "sku": 1, "available": 1}, session=session
    )
    available = {product["sku"]: int(product["available"]) for product in found}
    _refuse_unknown([sku for sku in quantities if sku not in available])
    return [
        {"sku": sku, "asked": asked, "available": available[sku]}
        for sku, asked in quantities.items()
        if asked > available[sku]
    ]


def _having(skus: list[str]) -> dict[str, Any]:
    # The unique index is partial on the type: without it MongoDB reads the whole catalogue.
    return {"sku": {"$in": skus, "$type": "string"}}


def _refuse_unknown(skus: list[str]) -> None:
    # Not a rejection: the publisher and the catalogue disagree. Someone can add the product and
    # replay the message, whereas a recorded rejection would stand for ever.
    if skus:
        raise PermanentError(
            f"Not in the catalogue: {', '.join(skus[:10])}{' …' if len(skus) > 10 else ''}. "
            "Add the product in the admin and replay this message, or discard it."
        )
