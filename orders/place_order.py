"""What a client sends to place an order, and the parser that refuses anything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Annotated, Any

import msgspec
from msgspec import Meta, Struct
from rest_framework.parsers import BaseParser

from orders import json_body
from orders.refusals import Fault, Refusal

MAX_BODY_BYTES = 1024 * 1024
MAX_READ_AWAY_BYTES = 32 * MAX_BODY_BYTES
MAX_ITEMS = 1_000
MAX_QUANTITY = 10_000
#: MongoDB's largest integer.
MAX_USER_ID = 2**63 - 1

Sku = Annotated[str, Meta(min_length=1, max_length=64)]
UserId = Annotated[int, Meta(ge=1, le=MAX_USER_ID)]


class Item(Struct, frozen=True, forbid_unknown_fields=True):
    sku: Sku
    quantity: Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]


class PlaceOrder(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`{"userId": 101, "items": ["book", {"sku": "pen", "quantity": 2}]}`.

    A bare string is one unit of that SKU. Prices come from the catalogue, never from here.
    """

    user_id: UserId
    items: Annotated[list[Sku | Item], Meta(min_length=1, max_length=MAX_ITEMS)]


TITLE = "The order was not placed"
EXAMPLE = '{"userId": 101, "items": ["book", {"sku": "pen", "quantity": 2}]}'
FIXES = {
    "body": f"Send a JSON object like {EXAMPLE}.",
    "userId": f"Send a whole number from 1 to {MAX_USER_ID}, without quotes, for example 101.",
    "items": f"Send an array of 1 to {MAX_ITEMS} items.",
    "items[]": 'Send "book" for one unit, or {"sku": "book", "quantity": 2} for more.',
    "sku": "Send a SKU of the catalogue, 1 to 64 characters.",
    "quantity": f"Send a whole number from 1 to {MAX_QUANTITY}, without quotes.",
}

_decoder = msgspec.json.Decoder(PlaceOrder)


class PlaceOrderParser(BaseParser):
    """Reads a `PlaceOrder` from the request's body, checking it while it is decoded."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> PlaceOrder:
        """Raises Refusal: the body is too long, not JSON, or not an order."""
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            read_away(stream)
        return decode(body)


def read_away(stream: IO[bytes]) -> None:
    """Read the rest of a body that is too long, within reason.

    Most clients send all of it before they look at the answer. A connection that the server
    closes meanwhile is a broken pipe to them, and no answer.
    """
    for _ in range(MAX_READ_AWAY_BYTES // MAX_BODY_BYTES):
        if not stream.read(MAX_BODY_BYTES):
            return


def decode(body: bytes) -> PlaceOrder:
    """The order that the body asks for.

    Raises:
        Refusal: it is longer than `MAX_BODY_BYTES`, not JSON in UTF-8 (RFC 8259), or not an
            order; the refusal names the field.
    """
    if len(body) > MAX_BODY_BYTES:
        raise too_long()
    return json_body.decode(_decoder, body, TITLE, FIXES)


def too_long() -> Refusal:
    fix = f"Send at most {MAX_BODY_BYTES} bytes; split a larger order."
    return Refusal(TITLE, [Fault(field="body", detail="is too long", fix=fix)], status_code=413)


def length_missing() -> Refusal:
    """A WSGI server passes on no body whose length was not declared."""
    fault = Fault(
        field="Content-Length",
        detail="is missing",
        fix="Send the body with its length, not in chunks.",
    )
    return Refusal(TITLE, [fault], status_code=411)


def body_missing() -> Refusal:
    return json_body.bad(TITLE, FIXES, "is empty")
