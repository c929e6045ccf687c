"""Orders as NDJSON: on each line the body of a `POST /orders`, perhaps with an `orderRef`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from orders.importing.entry import Entry, reference_key
from orders.importing.lines import TOO_LONG, Stream, numbered_lines
from orders.requests.order_request import FIXES, MAX_BODY_BYTES, OrderRequest
from runtime.requests.json_body import JsonBody
from runtime.requests.refusal import Refusal

MAX_REF_CHARACTERS = 200


class OrderLine(OrderRequest, frozen=True, omit_defaults=True):
    """`{"userId": 101, "items": ["book"], "orderRef": "A-17"}`."""

    order_ref: Annotated[str, Meta(min_length=1, max_length=MAX_REF_CHARACTERS)] | None = None


ORDER_REF_FIX = f"Send a text of 1 to {MAX_REF_CHARACTERS} characters, or leave it out."

BODY = JsonBody(
    OrderLine,
    "The order was not imported",
    {**FIXES, "orderRef": ORDER_REF_FIX},
    max_bytes=MAX_BODY_BYTES,
)


def entries(stream: Stream) -> Iterator[Entry]:
    """The order on each line that is not blank."""
    for number, line in numbered_lines(stream):
        yield Entry(number, faults=(TOO_LONG,)) if line is None else entry(number, line)


def entry(number: int, line: bytes) -> Entry:
    try:
        order = BODY.decode(line)
    except Refusal as refusal:
        return Entry(number, faults=tuple(refusal.errors))
    key = reference_key(order.user_id, order.order_ref) if order.order_ref else None
    return Entry(number, OrderRequest(order.user_id, order.items), key=key)
