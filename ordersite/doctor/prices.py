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

from ordersite.doctor.report import Finding, Severity
from runtime.money.currencies import DECIMALS, example
from runtime.money.price import TOO_HIGH, InvalidPrice, price_of
from runtime.stored_documents import AWARE

#: So many are named; more of them have one cause.
NAMED_PRODUCTS = 20

#: For each number of decimals that a currency may have: the price has them.
HAS_ITS_DECIMALS: list[dict[str, Any]] = [
    {
        "$and": [
            {"$in": ["$currency", [code for code, each in DECIMALS.items() if each == decimals]]},
            {"$eq": ["$price", {"$round": ["$price", decimals]}]},
        ]
    }
    for decimals in sorted(set(DECIMALS.values()))
]
#: Lets MongoDB leave out what is right; `price_of` decides about the others.
MAY_BE_WRONG: dict[str, Any] = {
    "$expr": {
        "$cond": [
            {"$eq": [{"$type": "$price"}, "decimal"]},
            {
                "$or": [
                    {"$lt": ["$price", 0]},
                    {"$gte": ["$price", Decimal128(TOO_HIGH)]},
                    {"$not": [{"$or": [*HAS_ITS_DECIMALS]}]},
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
    products = connection.database.get_collection("products", codec_options=AWARE)
    for product in products.find(MAY_BE_WRONG, {"_id": 0, "sku": 1, "price": 1, "currency": 1}):
        try:
            price_of(product)
        except InvalidPrice as error:
            known = product.get("currency")
            currency = known if isinstance(known, str) and known in DECIMALS else settings.CURRENCY
            yield _unpriced(str(product.get("sku")), currency, str(error))


def _unpriced(sku: str, currency: str, why: str) -> Finding:
    price = example(currency)
    right = f'{{price: NumberDecimal("{price}"), currency: {json.dumps(currency)}}}'
    update = f"products.updateOne({{sku: {json.dumps(sku)}}}, {{$set: {right}}})"
    script = f"db.getSiblingDB({json.dumps(settings.MONGODB_DATABASE)}).{update}"
    return Finding(
        Severity.ERROR,
        f"Product {sku[:100]}",
        f"It cannot be sold: {why}.",
        "Orders of it are refused with 409; all others are accepted.",
        f'mongosh "$MONGODB_URL" --eval {shlex.quote(script)}',
        f"Put its price in place of {price}, and correct the program that wrote it.",
    )
