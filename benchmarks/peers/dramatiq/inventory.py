"""Reserves all lines of an order, or none, once."""

from datetime import UTC, datetime
from typing import Any

import dramatiq
from broker import RETRIED
from database import client, products, reservations
from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError


class OutOfStock(Exception):
    pass


@dramatiq.actor(queue_name="inventory", **RETRIED)
def reserve(order: dict[str, Any]) -> None:
    try:
        with client.start_session() as session:
            session.with_transaction(lambda session: take(order, session))
    except OutOfStock:
        record(order, "rejected")
    except DuplicateKeyError:
        pass


def take(order: dict[str, Any], session: ClientSession) -> None:
    record(order, "reserved", session)
    statements = [
        UpdateOne(
            {"_id": item["sku"], "available": {"$gte": item["quantity"]}},
            {"$inc": {"available": -item["quantity"], "reserved": item["quantity"]}},
        )
        for item in order["items"]
    ]
    result = products.bulk_write(statements, session=session)
    if result.modified_count != len(statements):
        raise OutOfStock


def record(order: dict[str, Any], state: str, session: ClientSession | None = None) -> None:
    reservation = {
        "_id": order["orderId"],
        "state": state,
        "items": order["items"],
        "createdAt": datetime.now(UTC),
    }
    reservations.insert_one(reservation, session=session)
