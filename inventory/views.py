"""The HTTP side of the stock, for the staff and its programs."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import msgspec
from django.http import JsonResponse
from msgspec import Meta, Struct
from rest_framework.authentication import BasicAuthentication
from rest_framework.request import Request
from rest_framework.views import APIView

from inventory.permissions import RESTOCK, SHIP, StaffWith
from inventory.refusals import BadRequest
from inventory.restocking import restock
from inventory.shipping import ship

#: As many as one order may ask for.
MAX_QUANTITY = 10_000_000
MAX_KEY_CHARACTERS = 100


class Delivery(Struct, forbid_unknown_fields=True):
    """Units that have come in."""

    quantity: Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]


class StaffView(APIView):
    """A view for users of the admin, who send name and password (RFC 7617) with each request."""

    authentication_classes = [BasicAuthentication]
    permission_classes = [StaffWith]


class RestockView(StaffView):
    """Add units to a product's stock."""

    permission = RESTOCK

    def post(self, request: Request, sku: str) -> JsonResponse:
        product = restock(
            sku, read(request.data).quantity, key=key(request), by=request.user.get_username()
        )
        quantities = ("available", "reserved", "shipped")
        return JsonResponse({"sku": sku, **{each: int(product[each]) for each in quantities}})


class ShipView(StaffView):
    """Send an order's reserved units off."""

    permission = SHIP

    def post(self, request: Request, order_id: str) -> JsonResponse:
        reservation = ship(order_id, by=request.user.get_username())
        return JsonResponse(
            {
                "orderId": order_id,
                "state": reservation["state"],
                "items": reservation["items"],
                "shippedAt": reservation["shipped_at"],
            }
        )


def read(body: Any) -> Delivery:
    """Raises BadRequest: it is no delivery."""
    try:
        return msgspec.convert(body, Delivery)
    except msgspec.ValidationError as error:
        raise BadRequest(
            "quantity",
            str(error).partition(" - at ")[0].replace("`", ""),
            f'Send {{"quantity": n}} with a whole number from 1 to {MAX_QUANTITY:,}.',
        ) from None


def key(request: Request) -> str:
    """The request's Idempotency-Key, or one that no other request has."""
    given = request.headers.get("Idempotency-Key")
    if given is None:
        return str(uuid.uuid4())
    if not 0 < len(given) <= MAX_KEY_CHARACTERS:
        raise BadRequest(
            "Idempotency-Key",
            f"has {len(given)} characters",
            f"Send 1 to {MAX_KEY_CHARACTERS}, e.g. the delivery note's number.",
        )
    return given
