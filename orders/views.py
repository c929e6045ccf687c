"""The HTTP side of orders. On the fast path, so it answers with encoded bytes and uses little of
DRF.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pymongo
from django.http import HttpResponse
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from messaging.order_id import object_id
from messaging.readable_records import listed
from orders import cancelling, idempotency, listing, operations, placing
from orders.answers import CancelledOrder, OrderPage
from orders.collection import orders
from orders.representation import address_of, order_json, order_with_ledger_json, placed_json
from orders.requests import cancellation_request, order_filters, order_request
from runtime.requests import entity_tag, idempotency_key, query_string
from runtime.requests.caller import Caller, caller_of, check_user
from runtime.requests.deadline import ANSWER_SECONDS


class OrdersView(APIView):
    """Place an order, or list those that were placed."""

    scopes = {"GET": "orders:read", "POST": "orders:place"}
    #: See `orders.idempotency`.
    has_keys_of_its_own = True
    operations = {"GET": operations.LIST, "POST": operations.PLACE}

    def post(self, request: Request) -> HttpResponse:
        asked = order_request.BODY.of(request)
        caller = caller_of(request)
        check_user(caller, asked.user_id, order_request.TITLE)
        key = request.headers.get(idempotency_key.HEADER)
        with pymongo.timeout(ANSWER_SECONDS):
            if key is None:
                return placed(placing.place(asked))
            order, is_replayed = idempotency.place(asked, key, caller)
        return placed(order, {idempotency_key.REPLAYED: "true"} if is_replayed else {})

    def get(self, request: Request) -> HttpResponse:
        with pymongo.timeout(ANSWER_SECONDS):
            page = listing.page(
                query_string.parameters(request, order_filters.TITLE), caller_of(request)
            )
        shown: OrderPage = {
            "orders": listed(page.documents, order_json, name_of, msgspec.json.encode),
            "next": f"{request.path}?{page.next_query}" if page.next_query else None,
        }
        return json(shown)


class OrderView(APIView):
    """One order with its ledger."""

    scopes = {"GET": "orders:read"}
    operations = {"GET": operations.SHOW}

    def get(self, request: Request, order_id: str) -> HttpResponse:
        with pymongo.timeout(ANSWER_SECONDS):
            order = find(order_id, caller_of(request))
        return entity_tag.answer(request, shown(order))


class CancellationView(APIView):
    """Cancel an order that was not shipped yet; cancelling it again changes nothing."""

    scopes = {"POST": "orders:cancel"}
    operations = {"POST": operations.CANCEL}

    def post(self, request: Request, order_id: str) -> HttpResponse:
        asked = cancellation_request.BODY.of(request)
        with pymongo.timeout(ANSWER_SECONDS):
            seen = find(order_id, caller_of(request))
            entity_tag.check_match(request, tag_of(seen), cancellation_request.TITLE)
            as_seen = seen if entity_tag.is_asked(request) else None
            order = cancelling.cancel(seen["_id"], asked.reason, as_seen)
        body: CancelledOrder = {"message": "Order cancelled.", "order": order_json(order)}
        return json(body, headers={"ETag": tag_of(order)})


def placed(document: dict[str, Any], headers: Mapping[str, str] | None = None) -> HttpResponse:
    """The answer to the client that placed the order."""
    order = order_json(document)
    location = {"Location": address_of(order["orderId"])}
    return json(placed_json(order), status=201, headers=location | dict(headers or {}))


def find(order_id: str, caller: Caller) -> dict[str, Any]:
    """The order, if the caller may see it.

    Raises:
        NotFound: there is no such order, it is another customer's, or the text is no order's id.
    """
    key = object_id(order_id)
    document = orders().find_one(key) if key else None
    if document is None or not caller.sees(document.get("user_id")):
        raise NotFound(
            f"There is no order {order_id[:40]!r}. "
            "An orderId has 24 hexadecimal digits; GET /orders lists them."
        )
    return document


def shown(document: dict[str, Any]) -> bytes:
    """The order as its own address shows it."""
    return msgspec.json.encode(order_with_ledger_json(document))


def tag_of(document: dict[str, Any]) -> str:
    return entity_tag.tag_of(shown(document))


def name_of(document: dict[str, Any]) -> str:
    """What the log calls the order."""
    return f"order {document['_id']}"


def json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(
        msgspec.json.encode(body),
        status=status,
        content_type="application/json",
        headers=headers,
    )
