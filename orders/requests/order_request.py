"""What a client sends to place an order; anything else is refused."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from runtime.requests.json_body import JsonBody
from runtime.requests.number import MOST, UserId

MAX_BODY_BYTES = 1024 * 1024
MAX_ITEMS = 1_000
MAX_QUANTITY = 10_000

Sku = Annotated[str, Meta(min_length=1, max_length=64)]


class Item(Struct, frozen=True, forbid_unknown_fields=True):
    sku: Sku
    quantity: Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]


class OrderRequest(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`{"userId": 101, "items": ["book", {"sku": "pen", "quantity": 2}]}`.

    A bare string is one unit of that SKU. Prices come from the catalogue, never from here.
    """

    user_id: UserId
    items: Annotated[list[Sku | Item], Meta(min_length=1, max_length=MAX_ITEMS)]


TITLE = "The order was not placed"
EXAMPLE = '{"userId": 101, "items": ["book", {"sku": "pen", "quantity": 2}]}'
FIXES = {
    "body": f"Send a JSON object like {EXAMPLE}.",
    "userId": f"Send a whole number from 1 to {MOST}, without quotes, for example 101.",
    "items": f"Send an array of 1 to {MAX_ITEMS} items.",
    "items[]": 'Send "book" for one unit, or {"sku": "book", "quantity": 2} for more.',
    "sku": "Send a SKU of the catalogue, 1 to 64 characters.",
    "quantity": f"Send a whole number from 1 to {MAX_QUANTITY}, without quotes.",
}

BODY = JsonBody(OrderRequest, TITLE, FIXES, max_bytes=MAX_BODY_BYTES)
