"""What a client sends to place an order; anything else is refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct

from runtime.requests.faults import MOST_FAULTS, body_fault
from runtime.requests.json_body import JsonBody
from runtime.requests.number import MOST, UserId
from runtime.requests.refusal import Fault, Refusal

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


def quantities_of(items: list[str | Item]) -> dict[str, int]:
    """The quantity of each SKU, in the order in which they first appear.

    Raises:
        Refusal: more of a SKU than an order may have, in all its lines.
    """
    quantities: dict[str, int] = {}
    faults = []
    for index, item in enumerate(items):
        sku, quantity = (item, 1) if isinstance(item, str) else (item.sku, item.quantity)
        quantities[sku] = quantities.get(sku, 0) + quantity
        if quantities[sku] > MAX_QUANTITY:
            faults.append(_too_many(index, sku, quantities[sku]))
    if faults:
        raise Refusal(TITLE, faults[:MOST_FAULTS])
    return quantities


def _too_many(index: int, sku: str, quantity: int) -> Fault:
    detail = f"must not bring the order to {quantity} units of {sku!r}"
    fix = f"Ask for at most {MAX_QUANTITY} units of a SKU in all."
    return body_fault(("items", index), detail, fix)


def skus_of(items: Iterable[str | Item]) -> list[str]:
    """The SKU of each item."""
    return [item if isinstance(item, str) else item.sku for item in items]
