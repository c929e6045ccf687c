"""Reserves all lines of an order, or none, once."""

from datetime import UTC, datetime
from typing import Any

import uvloop
from broker import consume
from database import client, products, reservations
from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError


class OutOfStock(Exception):
    pass


async def reserve(order: dict[str, Any]) -> None:
    try:
        async with client.start_session() as session:
            await session.with_transaction(lambda session: take(order, session))
    except OutOfStock:
        await record(order, "rejected")
    except DuplicateKeyError:
        pass


async def take(order: dict[str, Any], session: AsyncClientSession) -> None:
    await record(order, "reserved", session)
    statements = [
        UpdateOne(
            {"_id": item["sku"], "available": {"$gte": item["quantity"]}},
            {"$inc": {"available": -item["quantity"], "reserved": item["quantity"]}},
        )
        for item in order["items"]
    ]
    result = await products.bulk_write(statements, session=session)
    if result.modified_count != len(statements):
        raise OutOfStock


async def record(
    order: dict[str, Any], state: str, session: AsyncClientSession | None = None
) -> None:
    reservation = {
        "_id": order["orderId"],
        "state": state,
        "items": order["items"],
        "createdAt": datetime.now(UTC),
    }
    await reservations.insert_one(reservation, session=session)


uvloop.run(consume("inventory", reserve))
