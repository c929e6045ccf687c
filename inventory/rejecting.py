"""Records that an order was rejected, where a restored database knows it from answers alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo.client_session import ClientSession

from inventory.order_in_message import PlacedOrder
from inventory.reserving import (
    move_lines,
    recorded,
    reservations,
    reserved,
    shortages_of,
)
from inventory.stock import Kind
from runtime.transactions import in_transaction


def reject(order: PlacedOrder, shortages: Sequence[dict[str, Any]] = ()) -> None:
    """Give back what is reserved for the order, once, and record it as rejected.

    `shortages` is why, [{sku, asked, available}], as far as it is known.

    Raises:
        Outage: MongoDB is down or the documents are held, see `runtime.transactions`.
    """

    change = {"state": "rejected", "shortages": [*shortages]}

    def reject_once(session: ClientSession) -> None:
        reservation = recorded(order.order_id, session)
        if reservation is None:
            rejected = reserved(order) | change
            reservations().insert_one(rejected, session=session)
        elif reservation["state"] == "reserved":
            move_lines(Kind.RELEASE, reservation, session)
            reservations().update_one({"_id": order.order_id}, {"$set": change}, session=session)

    in_transaction(reject_once)


def reserve_after_all(order_id: str) -> str:
    """Reserve for an order that was rejected, as its goods have left nevertheless.

    Returns: what of it is not in stock, so that it stays rejected; empty where it is reserved.

    Raises:
        Outage: MongoDB is down or the documents are held, see `runtime.transactions`.
    """

    def reserve_once(session: ClientSession) -> str:
        reservation = recorded(order_id, session)
        if reservation is None or reservation["state"] != "rejected":
            return ""
        asked = {line["sku"]: int(line["quantity"]) for line in reservation["items"]}
        if lacking := shortages_of(asked, session):
            return ", ".join(f"{each['asked']} x {each['sku']}" for each in lacking)
        move_lines(Kind.RESERVE, reservation, session)
        change = {"state": "reserved", "shortages": []}
        reservations().update_one({"_id": order_id}, {"$set": change}, session=session)
        return ""

    return in_transaction(reserve_once)
