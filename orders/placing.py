"""Placing an order: price its lines, then store it with its first event in one write."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from bson import ObjectId

from orders import traces
from orders.catalogue import catalogue
from orders.collection import orders
from orders.owed import keys_of, ledger_at_first
from orders.problem_types import NO_PRICE, NOT_SOLD, SEVERAL_CURRENCIES
from orders.requests.order_request import (
    FIXES,
    TITLE,
    Item,
    OrderRequest,
    quantities_of,
    skus_of,
)
from runtime.milliseconds import now_in_milliseconds
from runtime.money.amounts import stored
from runtime.money.price import Price
from runtime.requests.faults import MOST_FAULTS, body_fault
from runtime.requests.refusal import Fault, Refusal
from runtime.tracing.mongodb import calling

UNPRICED = "{sku!r} cannot be sold now: the catalogue has no valid price for it"
UNPRICED_FIX = "Leave it out, or send it again when the shop has corrected the product."


def place(request: OrderRequest, extra_fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Store the order and its pending `order.placed`; return the stored document.

    Lines of the same SKU are merged into the first of them, so that an order has one line for
    each SKU, here and for every consumer of its events. `extra_fields` are further fields of the
    document.

    Raises:
        Refusal: a SKU is unknown (422), its product has no right price (409), or its merged
            quantity is over the limit (400, which names the unknown ones, too).
        pymongo.errors.DuplicateKeyError: there is an order with the same `idempotency_key`.
        pymongo.errors.PyMongoError: MongoDB did not take the order.
    """
    try:
        quantities = quantities_of(request.items)
    except Refusal as refusal:
        raise and_not_sold(
            refusal, request.items, catalogue.prices(skus_of(request.items))
        ) from None
    prices = price(request.items, quantities)
    document = compose(request.user_id, quantities, prices) | dict(extra_fields or {})
    traces.join(document)
    store(document)
    return document


def and_not_sold(refusal: Refusal, items: list[str | Item], prices: dict[str, Price]) -> Refusal:
    """The refusal of quantities, with each item that has none of these prices."""
    return Refusal(TITLE, [*refusal.errors, *not_sold(items, prices)][:MOST_FAULTS])


def price(items: list[str | Item], quantities: dict[str, int]) -> dict[str, Price]:
    """The price of each SKU; raises what `check_prices` does."""
    prices = catalogue.prices(quantities)
    check_prices(items, quantities, prices)
    return prices


def check_prices(
    items: list[str | Item], quantities: dict[str, int], prices: dict[str, Price]
) -> None:
    """Check that these prices are enough for the order.

    Raises:
        Refusal: the catalogue lacks some; each is named, with the item that asks for it. Or they
            are in several currencies (both 422): each item is named that is not in the first
            one's. Or all that lack are products without a right
            price (409): the request may be right as soon as the shop has corrected them.
    """
    if len(prices) < len(quantities):
        all_known = all(sku in prices or catalogue.is_unpriced(sku) for sku in quantities)
        problem_type = NO_PRICE if all_known else NOT_SOLD
        raise Refusal(TITLE, not_sold(items, prices), problem_type)
    if len({each.currency for each in prices.values()}) > 1:
        raise Refusal(TITLE, in_other_currencies(items, prices), SEVERAL_CURRENCIES)


def not_sold(items: list[str | Item], prices: dict[str, Price]) -> list[Fault]:
    """A fault for each item whose SKU has no price; the first hundred."""
    lacking = ((index, sku) for index, sku in enumerate(skus_of(items)) if sku not in prices)
    return [no_price(index, sku) for index, sku in islice(lacking, MOST_FAULTS)]


def in_other_currencies(items: list[str | Item], prices: dict[str, Price]) -> list[Fault]:
    """A fault for each item that is not sold in the currency of the first; the first hundred."""
    asked = skus_of(items)
    first = prices[asked[0]].currency
    others = ((index, sku) for index, sku in enumerate(asked) if prices[sku].currency != first)
    return [
        body_fault(
            ("items", index),
            f"{sku!r} is sold in {prices[sku].currency}, and the first item in {first}",
            f"An order has one currency: place another order for what is sold in "
            f"{prices[sku].currency}.",
        )
        for index, sku in islice(others, MOST_FAULTS)
    ]


def no_price(index: int, sku: str) -> Fault:
    if catalogue.is_unpriced(sku):
        detail, fix = UNPRICED.format(sku=sku), UNPRICED_FIX
    else:
        detail, fix = f"{sku!r} is not in the catalogue", FIXES["sku"]
    return body_fault(("items", index), detail, fix)


def compose(user_id: int, quantities: dict[str, int], prices: dict[str, Price]) -> dict[str, Any]:
    """The document of a new order, its `order.placed` pending."""
    now = now_in_milliseconds()
    order_id = id_of(now)
    total = sum((prices[sku].amount * n for sku, n in quantities.items()), Decimal())
    return {
        "_id": order_id,
        "user_id": user_id,
        "items": [
            {"sku": sku, "quantity": quantity, "unit_price": stored(prices[sku].amount)}
            for sku, quantity in quantities.items()
        ],
        "total": stored(total),
        "currency": next(iter(prices.values())).currency,
        "status": "placed",
        "version": 1,
        "created_at": now,
        "updated_at": now,
        "ledger": {**ledger_at_first()},
        "awaited": [*keys_of("order.placed")],
        "awaited_since": now,
        "pending_events": [
            {"id": f"order.placed:{order_id}", "type": "order.placed", "version": 1, "at": now}
        ],
        "pending_since": now,
    }


def store(document: dict[str, Any]) -> None:
    """Write the order and its pending event at once, so that neither exists without the other."""
    with calling("insert", "orders"):
        orders().insert_one(document)


def id_of(moment: datetime) -> ObjectId:
    """A new id: this moment's second, a counter of this process, and what nobody can guess.

    A filter of `createdFrom` finds the order by its id first, so no clock may come between. Whoever
    could guess the id of a coming order could send a message about it before it is placed.
    """
    second = int(moment.timestamp()).to_bytes(4, "big")
    counter = ObjectId().binary[9:]
    return ObjectId(second + counter + secrets.token_bytes(5))
