"""The HTTP side of the stock, for the staff and its programs."""

from __future__ import annotations

import uuid

from django.http import JsonResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from inventory import operations
from inventory.answers import Shipment, Stock
from inventory.restocking import deliver
from inventory.shipping import send
from inventory.stock_requests import (
    DELIVERY,
    MAX_KEY_CHARACTERS,
    NO_REASON,
    SHIPMENT,
    TITLE,
    ShipmentRequest,
)
from messaging.order_id import canonical
from runtime.moment import for_programs
from runtime.requests import idempotency_key
from runtime.requests.caller import caller_of
from runtime.requests.refusal import Refusal as InvalidRequest


class RestockView(APIView):
    """Add units to a product's stock."""

    scopes = {"POST": "stock:write"}
    #: Kept for ever, in the log of movements.
    has_keys_of_its_own = True
    operations = {"POST": operations.RESTOCK}

    def post(self, request: Request, sku: str) -> JsonResponse:
        quantity = DELIVERY.of(request).quantity
        delivery = deliver(sku, quantity, key=key(request), by=caller_of(request).name)
        product = delivery.product
        shown: Stock = {
            "sku": sku,
            "available": int(product["available"]),
            "reserved": int(product["reserved"]),
            "shipped": int(product["shipped"]),
        }
        headers = {idempotency_key.REPLAYED: "true"} if delivery.is_repeated else {}
        return JsonResponse(shown, headers=headers)


class ShipView(APIView):
    """Send an order's reserved units off."""

    scopes = {"POST": "orders:ship"}
    operations = {"POST": operations.SHIP}

    def post(self, request: Request, order_id: str) -> JsonResponse:
        asked = SHIPMENT.of(request) or ShipmentRequest()
        reason = asked.reason.strip() if isinstance(asked.reason, str) else ""
        if asked.force and not reason:
            raise InvalidRequest(TITLE, [NO_REASON])
        anyway = reason if asked.force else ""
        shipment = send(canonical(order_id), by=caller_of(request).name, anyway=anyway)
        reservation = shipment.reservation
        shown: Shipment = {
            "message": shipment.said,
            "orderId": reservation["_id"],
            "state": reservation["state"],
            "items": reservation["items"],
            "shippedAt": for_programs(reservation["shipped_at"]),
        }
        return JsonResponse(shown)


def key(request: Request) -> str:
    """The request's Idempotency-Key, or one that no other request has."""
    given = request.headers.get(idempotency_key.HEADER)
    if given is None:
        return str(uuid.uuid4())
    return idempotency_key.read(given, TITLE, "the delivery note's number", MAX_KEY_CHARACTERS)
