"""Reserves stock for orders: all lines or none, once for each order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from inventory.movements import movements, of_order
from inventory.order_in_message import PlacedOrder
from inventory.stock import Kind, having, products, shift
from messaging.errors import PermanentError, TransientError
from runtime.stored_documents import AWARE
from runtime.transactions import in_transaction

#: As stored in `reservations`: _id (the order's id), user_id, state ("reserved" | "rejected" |
#: "released" | "shipped"), items [{sku, quantity}], shortages [{sku, asked, available}],
#: created_at, and once they apply released_at, shipped_at, and pending_since for as long as the
#: shipment is not published.
Reservation = dict[str, Any]


def reserve(order: PlacedOrder) -> Reservation:
    """Reserve every line of the order, or reject the whole order, and return what is recorded.

    An order that was answered before gets the same answer and moves no stock; so does one whose
    cancellation came first, see `inventory.releasing`.

    Raises:
        PermanentError: a SKU is not in the catalogue.
        Outage: MongoDB is down or the documents are held, see `runtime.transactions`.
    """
    return in_transaction(
        lambda session: recorded(order.order_id, session) or _decide(order, session)
    )


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


def reservations() -> Collection[Reservation]:
    """Inventory's answers by order id, their dates aware, in UTC."""
    collection: Collection[Reservation] = connection.database.get_collection(
        "reservations", codec_options=AWARE
    )
    return collection


def recorded(order_id: str, session: ClientSession) -> Reservation | None:
    """What inventory has answered to the order, as the transaction sees it."""
    return reservations().find_one({"_id": order_id}, session=session)


def recorded_of(order_ids: list[str], session: ClientSession) -> dict[str, Reservation]:
    """The same for many orders, by order id; those never heard of are left out."""
    found = reservations().find({"_id": {"$in": order_ids}}, session=session)
    return {reservation["_id"]: reservation for reservation in found}


def move_lines(
    kind: Kind, reservation: Reservation, session: ClientSession, by: str | None = None
) -> None:
    """Move the units that the reservation holds, and log it.

    Raises:
        TransientError: the stock is not where the reservation says; nothing may be recorded.
    """
    quantities = {line["sku"]: int(line["quantity"]) for line in reservation["items"]}
    if not shift(kind, quantities, session):
        raise TransientError(
            f"The stock of order {reservation['_id']} is not where its reservation says, so it "
            f"could not {kind}. `python manage.py recount_stock` says which SKU is wrong."
        )
    log = of_order(kind, reservation["_id"], quantities, datetime.now(UTC), by)
    movements().insert_many(log, session=session)


def _decide(order: PlacedOrder, session: ClientSession) -> Reservation:
    reservation = reserved(order)
    if shortages := shortages_of(order.quantities, session):
        reservation |= {"state": "rejected", "shortages": shortages}
    else:
        move_lines(Kind.RESERVE, reservation, session)
    reservations().insert_one(reservation, session=session)
    return reservation


def shortages_of(quantities: Mapping[str, int], session: ClientSession) -> list[dict[str, Any]]:
    """What is asked beyond what is there, [{sku, asked, available}], in the order's sequence."""
    found = products().find(
        having(list(quantities)), {"_id": 0, "sku": 1, "available": 1}, session=session
    )
    available = {product["sku"]: int(product["available"]) for product in found}
    _refuse_unknown([sku for sku in quantities if sku not in available])
    return [
        {"sku": sku, "asked": asked, "available": available[sku]}
        for sku, asked in quantities.items()
        if asked > available[sku]
    ]


def _refuse_unknown(skus: list[str]) -> None:
    # Not a rejection: the publisher and the catalogue disagree. Someone can add the product and
    # replay the message, whereas a recorded rejection would stand for ever.
    if skus:
        raise PermanentError(
            f"Not in the catalogue: {', '.join(skus[:10])}{' …' if len(skus) > 10 else ''}. "
            "Add the product in the admin and replay this message, or discard it."
        )
