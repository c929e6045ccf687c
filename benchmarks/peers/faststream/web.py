"""POST /orders: save the order, publish it, answer once both are safe."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

from broker import broker, declare, order_events
from bson import ObjectId
from database import orders, products
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

cents_of: dict[str, int] = {}


class Item(BaseModel):
    sku: str
    quantity: Annotated[int, Field(ge=1, le=10_000)]


class PlaceOrder(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)

    user_id: Annotated[int, Field(ge=1)]
    items: Annotated[list[Item], Field(min_length=1)]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async for product in products.find():
        cents_of[product["_id"]] = product["cents"]
    await broker.connect()
    await declare(broker)
    yield
    await broker.stop()


app = FastAPI(lifespan=lifespan)


@app.post("/orders", status_code=201)
async def place_order(asked: PlaceOrder) -> dict[str, Any]:
    items = [priced(item) for item in asked.items]
    order_id = ObjectId()
    order = {
        "userId": asked.user_id,
        "items": items,
        "totalCents": sum(item["quantity"] * item["unitCents"] for item in items),
        "status": "placed",
        "createdAt": datetime.now(UTC),
    }
    await orders.insert_one({"_id": order_id, **order})
    body = {"orderId": str(order_id), **order}
    await broker.publish(body, exchange=order_events, persist=True)
    return {"message": "Order placed successfully.", "order": body}


def priced(item: Item) -> dict[str, Any]:
    if item.sku not in cents_of:
        raise HTTPException(422, f"{item.sku} is not in the catalogue.")
    return {"sku": item.sku, "quantity": item.quantity, "unitCents": cents_of[item.sku]}
