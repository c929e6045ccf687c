"""The catalogue over HTTP: to read for every shop, to change for the staff and its programs."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from math import isfinite
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pymongo
from bson import Decimal128
from django.conf import settings
from django.http import HttpResponse
from msgspec import UNSET
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from inventory import catalogue, operations
from inventory.answers import Product as Shown
from inventory.answers import ProductPage, ProductPrice
from inventory.price_request import asked_price, price_faults, without_its_price
from inventory.problem_types import SKU_TAKEN
from inventory.product_requests import (
    CHANGE,
    NEW,
    NOTHING,
    TITLE,
    TITLE_OF_LIST,
    cursor_after,
    read,
    sku_after,
)
from inventory.restocking import Product
from runtime.moment import for_programs
from runtime.money.amounts import plain
from runtime.money.price import InvalidPrice, price_of
from runtime.requests import entity_tag, query_string
from runtime.requests.caller import caller_of
from runtime.requests.deadline import ANSWER_SECONDS
from runtime.requests.faults import body_fault
from runtime.requests.refusal import Fault, Refusal
from runtime.requests.text import fault_in

WRITE = "catalogue:write"
SCOPES = {"GET": "catalogue:read", "POST": WRITE, "PATCH": WRITE}


class ProductsView(APIView):
    """List what is offered, or add a product."""

    scopes = SCOPES
    operations = {"GET": operations.LIST_PRODUCTS, "POST": operations.ADD_PRODUCT}

    def get(self, request: Request) -> HttpResponse:
        parameters = query_string.parameters(request, TITLE_OF_LIST)
        filters = read(parameters)
        with pymongo.timeout(ANSWER_SECONDS):
            page = catalogue.page(filters.q, sku_after(filters), filters.limit)
        following = None
        if page.has_more:
            cursor = cursor_after(page.products[-1]["sku"])
            following = f"{request.path}?{urlencode({**parameters, 'cursor': cursor})}"
        listed = [each for each in map(listed_json, page.products) if each]
        shown: ProductPage = {"products": listed, "next": following}
        return entity_tag.answer(request, encoded(shown))

    def post(self, request: Request) -> HttpResponse:
        asked = NEW.of(request, lambda fields: price_faults(fields, settings.CURRENCY))
        by = caller_of(request).name
        currency = settings.CURRENCY if asked.currency is UNSET else asked.currency
        price = asked_price(asked.price, currency)
        added = catalogue.add(asked.sku, asked.name, price, asked.available, by)
        if added is None:
            raise Refusal(TITLE, [taken(asked.sku)], SKU_TAKEN)
        response = shown(added)
        response.status_code = HTTPStatus.CREATED
        response["Location"] = f"{request.path}/{quote(asked.sku)}"
        return response


class ProductView(APIView):
    """One product; who may change it sees it also after it was withdrawn."""

    scopes = SCOPES
    operations = {"GET": operations.SHOW_PRODUCT, "PATCH": operations.CHANGE_PRODUCT}

    def get(self, request: Request, sku: str) -> HttpResponse:
        with pymongo.timeout(ANSWER_SECONDS):
            product = find(sku, request)
        return entity_tag.answer(request, encoded(product_json(product)))

    def patch(self, request: Request, sku: str) -> HttpResponse:
        asked = msgspec.to_builtins(
            CHANGE.of(request, lambda fields: price_faults(fields, currency_of(sku)))
        )
        if "currency" in asked and "price" not in asked:
            raise without_its_price()
        return shown(changed(request, sku, asked))


class WithdrawView(APIView):
    """Stop selling a product; withdrawing it again changes nothing."""

    scopes = SCOPES
    operations = {"POST": operations.WITHDRAW_PRODUCT}

    def post(self, request: Request, sku: str) -> HttpResponse:
        NOTHING.of(request)
        with pymongo.timeout(ANSWER_SECONDS):
            is_offered = find(sku, request).get("withdrawn_at") is None
        return shown(changed(request, sku, catalogue.withdrawn() if is_offered else {}))


class OfferView(APIView):
    """Sell a product again that was withdrawn."""

    scopes = SCOPES
    operations = {"POST": operations.OFFER_PRODUCT}

    def post(self, request: Request, sku: str) -> HttpResponse:
        NOTHING.of(request)
        return shown(changed(request, sku, catalogue.offered()))


def find(sku: str, request: Request) -> Product:
    """The product, if the caller may see it.

    Raises:
        NotFound: there is none, or it was withdrawn.
    """
    product = None if fault_in(sku) else catalogue.find(sku)
    is_hidden = product is not None and product.get("withdrawn_at")
    if product is None or (is_hidden and not caller_of(request).may(WRITE)):
        raise NotFound(f"{sku[:100]!r} is not in the catalogue. GET /products lists what is.")
    return product


def changed(request: Request, sku: str, changes: dict[str, Any]) -> Product:
    """The product with these changes.

    Raises:
        NotFound: there is none.
        Refusal: the client has seen another state of it (412), or the price is wrong (400).
    """
    with pymongo.timeout(ANSWER_SECONDS):
        seen = find(sku, request)
        is_conditional = entity_tag.is_asked(request)
        if is_conditional:
            entity_tag.check_match(request, tag_of(seen), TITLE)
        product = catalogue.change(
            sku, priced(changes, seen), caller_of(request).name, seen if is_conditional else None
        )
    if product is None:
        raise entity_tag.changed(TITLE)
    return product


def currency_of(sku: str) -> str | None:
    """What a product is sold in; None where it is not known, so no price can be checked."""
    with pymongo.timeout(ANSWER_SECONDS):
        product = None if fault_in(sku) else catalogue.find(sku)
    return str(product.get("currency") or "") if product else None


def priced(changes: dict[str, Any], seen: Product) -> dict[str, Any]:
    """The changes as they are stored: an amount always with its currency."""
    if "price" not in changes:
        return changes
    currency = changes.get("currency") or str(seen.get("currency") or "")
    price = asked_price(changes["price"], currency)
    return {**changes, "price": Decimal128(price.amount), "currency": price.currency}


def taken(sku: str) -> Fault:
    return body_fault(
        ("sku",),
        f"{sku!r} is in the catalogue already, or was withdrawn from it",
        f"Change it with PATCH /products/{sku}, offer it again with POST /products/{sku}/offer, or "
        "send another SKU.",
    )


def shown(product: Product) -> HttpResponse:
    """The product as it now is, with its tag."""
    body = encoded(product_json(product))
    headers = {"ETag": entity_tag.tag_of(body)}
    return HttpResponse(body, content_type="application/json", headers=headers)


def tag_of(product: Product) -> str:
    return entity_tag.tag_of(encoded(product_json(product)))


def listed_json(product: Product) -> Shown | None:
    """The product for a list; None for one that cannot be sold, which hides no other."""
    shown = product_json(product)
    return shown if shown["price"] is not None else None


def product_json(product: Product) -> Shown:
    """A stored product as it travels; without a price where another program wrote a wrong one."""
    shown: Shown = {
        "sku": product["sku"],
        "name": str(product.get("name") or product["sku"]),
        **price_json(product),
        "available": available_of(product),
    }
    if isinstance(withdrawn_at := product.get("withdrawn_at"), datetime):
        shown["withdrawnAt"] = for_programs(withdrawn_at)
    return shown


def available_of(product: Product) -> int:
    """Its units; none where another program wrote what is not a number."""
    stored = product.get("available")
    return int(stored) if isinstance(stored, int | float) and isfinite(stored) else 0


def price_json(product: Product) -> ProductPrice:
    try:
        price = price_of(product)
    except InvalidPrice:
        return {"price": None, "currency": None}
    return {"price": plain(*price), "currency": price.currency}


def encoded(body: Shown | ProductPage) -> bytes:
    return msgspec.json.encode(body)
