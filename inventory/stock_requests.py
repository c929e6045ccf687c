"""What a client may ask of the stock; anything else is refused."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from inventory.refusals import Refusal
from runtime.requests.json_body import JsonBody
from runtime.requests.refusal import Fault

#: As many as one order may ask for.
MAX_QUANTITY = 10_000_000
MAX_KEY_CHARACTERS = 100


class Delivery(Struct, forbid_unknown_fields=True):
    """Units that have come in."""

    quantity: Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]


class ShipmentRequest(Struct, forbid_unknown_fields=True):
    """The address says which order; the body only that it is shipped in spite of a failure."""

    #: Whether it is shipped although another service failed for it, or still retries.
    force: bool = False
    #: Why; needed with `force`.
    reason: Annotated[str, Meta(min_length=1, max_length=500)] | UnsetType = UNSET


NO_REASON = Fault(
    field="reason",
    detail="must say why the order is shipped, as force is true",
    fix='Send for example {"force": true, "reason": "paid in cash"}.',
    pointer="#/reason",
)
TITLE = Refusal.title
DELIVERY = JsonBody(
    Delivery,
    TITLE,
    {"body": f'Send {{"quantity": n}} with a whole number from 1 to {MAX_QUANTITY:,}.'},
)
SHIPMENT = JsonBody(
    ShipmentRequest | None,  # type: ignore[arg-type]  # a union is not a type to mypy
    TITLE,
    {
        "body": 'Send no body, or for example {"force": true, "reason": "paid in cash"}.',
        "force": "Send true or false.",
        "reason": "Send a text of 1 to 500 characters.",
    },
    empty=ShipmentRequest(),
)
