"""Can every product of the catalogue be sold?"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from itertools import islice
from typing import Any

from bson import Decimal128
from django.conf import settings
from django.db import connection

from messaging.price import TOO_HIGH, InvalidPrice, price_of
from orders.catalogue import LENIENT
from ordersite.doctor.report import Finding, Severity

#: So many are named; more of them have one cause.
NAMED_PRODUCTS = 20

#: Lets MongoDB leave out what is right; `price_of` decides about the others.
MAY_BE_WRONG: dict[str, Any] = {
    "$expr": {
        "$cond": [
            {"$eq": [{"$type": "$price"}, "decimal"]},
            {
                "$or": [
                    {"$lt": ["$price", 0]},
                    {"$gte": ["$price", Decimal128(TOO_HIGH)]},
                    {"$ne": ["$price", {"$round": ["$price", 2]}]},
                    {"$ne": ["$currency", settings.CURRENCY]},
                ]
            },
            True,
        ]
    }
}


def of_products() -> Iterator[Finding]:
    """A product that orders cannot price."""
    return islice(_findings(), NAMED_PRODUCTS)


def _findings() -> Iterator[Finding]:
    products = connection.database.get_collection("products", codec_options=LENIENT)
    for product in products.find(MAY_BE_WRONG, {"_id": 0, "sku": 1, "price": 1, "currency": 1}):
        try:
            price_of(product)
        except InvalidPrice as error:
            yield _unpriced(str(product.get("sku")), str(error))


def _unpriced(sku: str, why: str) -> Finding:
    right = f'{{price: NumberDecimal("9.95"), currency: {json.dumps(settings.CURRENCY)}}}'
    update = f"products.updateOne({{sku: {json.dumps(sku)}}}, {{$set: {right}}})"
    script = f"db.getSiblingDB({json.dumps(settings.MONGODB_DATABASE)}).{update}"
    return Finding(
        Severity.ERROR,
        f"Product {sku[:100]}",
        f"It cannot be sold: {why}.",
        "Orders of it are refused with 409; all others are accepted.",
        f'mongosh "$MONGODB_URL" --eval {shlex.quote(script)}',
        "Put its price in place of 9.95, and correct the program that wrote it.",
    )
