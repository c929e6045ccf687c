"""POST /orders: save the order, hand it to each service's queue, answer once all is safe."""

from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any

import msgspec
from bson import ObjectId
from database import orders, products
from flask import Flask, Response, request
from msgspec import Meta

from billing import issue_invoice
from inventory import reserve

app = Flask(__name__)


class Item(msgspec.Struct):
    sku: str
    quantity: Annotated[int, Meta(ge=1, le=10_000)]


class PlaceOrder(msgspec.Struct, rename="camel"):
    user_id: Annotated[int, Meta(ge=1)]
    items: Annotated[list[Item], Meta(min_length=1)]


class UnknownSku(ValueError):
    pass


read_order = msgspec.json.Decoder(PlaceOrder).decode


@cache
def cents_of() -> dict[str, int]:
    return {product["_id"]: product["cents"] for product in products.find()}


@app.post("/orders")
def place_order() -> Response:
    try:
        asked = read_order(request.get_data())
        items = [priced(item) for item in asked.items]
    except (msgspec.DecodeError, UnknownSku) as error:
        return answer(422, {"title": str(error)})
    order_id, created_at = ObjectId(), datetime.now(UTC)
    order = {
        "userId": asked.user_id,
        "items": items,
        "totalCents": sum(item["quantity"] * item["unitCents"] for item in items),
        "status": "placed",
    }
    orders.insert_one({"_id": order_id, **order, "createdAt": created_at})
    body = {"orderId": str(order_id), **order, "createdAt": created_at.isoformat()}
    # Each returns after the broker's confirm.
    reserve.send(body)
    issue_invoice.send(body)
    return answer(201, {"message": "Order placed successfully.", "order": body})


def priced(item: Item) -> dict[str, Any]:
    if item.sku not in cents_of():
        raise UnknownSku(f"{item.sku} is not in the catalogue.")
    return {"sku": item.sku, "quantity": item.quantity, "unitCents": cents_of()[item.sku]}


def answer(status: int, content: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(content), status, mimetype="application/json")
