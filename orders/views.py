"""The HTTP side of orders. Hot, so it answers with ready bytes and asks DRF for little."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pymongo
from bson import ObjectId
from django.http import HttpResponse
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from orders import cancelling, idempotency, listing, placing
from orders.cancel_order import CancelOrder, CancelOrderParser
from orders.collection import ANSWER_SECONDS, orders
from orders.place_order import PlaceOrder, PlaceOrderParser, body_missing, length_missing
from orders.representation import order_json, order_with_ledger_json, placed_json


class OrdersView(APIView):
    """Place an order, or list those that were placed."""

    parser_classes = [PlaceOrderParser]

    def post(self, request: Request) -> HttpResponse:
        asked = place_order(request)
        key = request.headers.get(idempotency.HEADER)
        with pymongo.timeout(ANSWER_SECONDS):
            if key is None:
                return placed(placing.place(asked))
            order, is_replayed = idempotency.place(asked, key)
        return placed(order, {"Idempotent-Replayed": "true"} if is_replayed else {})

    def get(self, request: Request) -> HttpResponse:
        with pymongo.timeout(ANSWER_SECONDS):
            page = listing.page(request.query_params.dict())
        return json(
            {
                "orders": [order_json(document) for document in page.documents],
                "next": f"{request.path}?{page.next_query}" if page.next_query else None,
            }
        )


class OrderView(APIView):
    """One order with its ledger."""

    def get(self, request: Request, order_id: str) -> HttpResponse:
        with pymongo.timeout(ANSWER_SECONDS):
            order = find(order_id)
        return json(order_with_ledger_json(order))


class CancellationView(APIView):
    """Cancel an order that was not shipped yet; cancelling it again changes nothing."""

    parser_classes = [CancelOrderParser]

    def post(self, request: Request, order_id: str) -> HttpResponse:
        # DRF calls no parser where there is no body, and a reason is optional.
        asked = request.data or CancelOrder()
        with pymongo.timeout(ANSWER_SECONDS):
            order = cancelling.cancel(find(order_id)["_id"], asked.reason)
        return json({"message": "Order cancelled.", "order": order_json(order)})


def place_order(request: Request) -> PlaceOrder:
    """What the request asks for.

    Raises:
        Refusal: it has no body, or one that is no order.
        UnsupportedMediaType: it is not declared to be JSON.
    """
    asked = request.data
    if isinstance(asked, PlaceOrder):
        return asked
    # DRF calls no parser where there is no body.
    if "HTTP_TRANSFER_ENCODING" in request.META:
        raise length_missing()
    raise body_missing()


def placed(document: dict[str, Any], headers: Mapping[str, str] | None = None) -> HttpResponse:
    """The answer to whoever placed the order."""
    order = order_json(document)
    location = {"Location": f"/orders/{order['orderId']}"}
    return json(placed_json(order), status=201, headers=location | dict(headers or {}))


def find(order_id: str) -> dict[str, Any]:
    """Raises NotFound: there is no such order, or the text is no order's id."""
    document = orders().find_one(ObjectId(order_id)) if ObjectId.is_valid(order_id) else None
    if document is None:
        raise NotFound(
            f"There is no order {order_id[:40]!r}. "
            "An orderId has 24 hexadecimal digits; GET /orders lists them."
        )
    return document


def json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(
        msgspec.json.encode(body),
        status=status,
        content_type="application/json",
        headers=headers,
    )
