"""The HTTP side of the stock, for the staff and its programs."""

from __future__ import annotations

import uuid
from typing import Annotated

from django.http import JsonResponse
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.views import APIView

from inventory.refusals import Refusal
from inventory.restocking import restock
from inventory.shipping import send
from messaging.order_id import canonical
from runtime.requests import idempotency_key
from runtime.requests.caller import caller_of
from runtime.requests.json_body import JsonBody
from runtime.requests.refusal import Fault
from runtime.requests.refusal import Refusal as InvalidRequest

#: As many as one order may ask for.
MAX_QUANTITY = 10_000_000
MAX_KEY_CHARACTERS = 100


class Delivery(Struct, forbid_unknown_fields=True):
    """Units that have come in."""

    quantity: Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]


class Shipment(Struct, forbid_unknown_fields=True):
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
    Shipment | None,  # type: ignore[arg-type]  # a union is not a type to mypy
    TITLE,
    {
        "body": 'Send no body, or for example {"force": true, "reason": "paid in cash"}.',
        "force": "Send true or false.",
        "reason": "Send a text of 1 to 500 characters.",
    },
    empty=Shipment(),
)


class RestockView(APIView):
    """Add units to a product's stock."""

    scopes = {"POST": "stock:write"}

    def post(self, request: Request, sku: str) -> JsonResponse:
        quantity = DELIVERY.of(request).quantity
        product = restock(sku, quantity, key=key(request), by=caller_of(request).name)
        quantities = ("available", "reserved", "shipped")
        return JsonResponse({"sku": sku, **{each: int(product[each]) for each in quantities}})


class ShipView(APIView):
    """Send an order's reserved units off."""

    scopes = {"POST": "orders:ship"}

    def post(self, request: Request, order_id: str) -> JsonResponse:
        asked = SHIPMENT.of(request) or Shipment()
        reason = asked.reason.strip() if isinstance(asked.reason, str) else ""
        if asked.force and not reason:
            raise InvalidRequest(TITLE, [NO_REASON])
        anyway = reason if asked.force else ""
        shipment = send(canonical(order_id), by=caller_of(request).name, anyway=anyway)
        reservation = shipment.reservation
        return JsonResponse(
            {
                "message": shipment.said,
                "orderId": reservation["_id"],
                "state": reservation["state"],
                "items": reservation["items"],
                "shippedAt": reservation["shipped_at"],
            }
        )


def key(request: Request) -> str:
    """The request's Idempotency-Key, or one that no other request has."""
    given = request.headers.get(idempotency_key.HEADER)
    if given is None:
        return str(uuid.uuid4())
    return idempotency_key.read(given, TITLE, MAX_KEY_CHARACTERS, "the delivery note's number")
