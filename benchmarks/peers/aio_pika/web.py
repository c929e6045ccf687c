"""POST /orders: save the order, publish it, answer once both are safe."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import broker
import msgspec
from bson import ObjectId
from database import orders, products
from msgspec import Meta
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

cents_of: dict[str, int] = {}


class Item(msgspec.Struct):
    sku: str
    quantity: Annotated[int, Meta(ge=1, le=10_000)]


class PlaceOrder(msgspec.Struct, rename="camel"):
    user_id: Annotated[int, Meta(ge=1)]
    items: Annotated[list[Item], Meta(min_length=1)]


class UnknownSku(ValueError):
    pass


read_order = msgspec.json.Decoder(PlaceOrder).decode


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async for product in products.find():
        cents_of[product["_id"]] = product["cents"]
    async with broker.connected() as channel:
        app.state.order_events = await channel.get_exchange(broker.EXCHANGE)
        yield


async def place_order(request: Request) -> Response:
    try:
        asked = read_order(await request.body())
        items = [priced(item) for item in asked.items]
    except (msgspec.DecodeError, UnknownSku) as error:
        return answer(422, {"title": str(error)})
    order_id = ObjectId()
    order = {
        "userId": asked.user_id,
        "items": items,
        "totalCents": sum(item["quantity"] * item["unitCents"] for item in items),
        "status": "placed",
        "createdAt": datetime.now(UTC),
    }
    await orders.insert_one({"_id": order_id, **order})
    body = msgspec.json.encode({"orderId": str(order_id), **order})
    await broker.publish(request.app.state.order_events, body)
    return answer(201, {"message": "Order placed successfully.", "order": msgspec.Raw(body)})


def priced(item: Item) -> dict[str, Any]:
    if item.sku not in cents_of:
        raise UnknownSku(f"{item.sku} is not in the catalogue.")
    return {"sku": item.sku, "quantity": item.quantity, "unitCents": cents_of[item.sku]}


def answer(status: int, content: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")


app = Starlette(routes=[Route("/orders", place_order, methods=["POST"])], lifespan=lifespan)
