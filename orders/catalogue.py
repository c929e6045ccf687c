"""What orders knows of the catalogue: the price of each SKU.

Products belong to inventory. An order still needs their prices before it can be stored, in one
read that costs next to nothing, so orders keeps its own small read model of the `products`
collection: three fields, read without inventory's code, cached for a second. A price that
changes is charged a second later; an SKU that the cache lacks is looked up before it is refused,
so that a new product can be ordered at once.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

FRESH_SECONDS = 1.0
#: A refresh reads what was asked for since so many refreshes, so that a client at a slow pace, too,
#: finds nearly every price remembered …
REFRESHES_REMEMBERED = 10
#: … unless that is more than a refresh may cost: then the older ones are read when asked for.
REFRESH_SKUS = 2_000


class Price(NamedTuple):
    """What one unit costs: an amount with two places, and its ISO 4217 currency."""

    amount: Decimal
    currency: str


class Catalogue:
    """Prices by SKU, at most `FRESH_SECONDS` old.

    Each refresh reads the SKUs that were asked for of late, in one query: its cost follows the
    traffic, not the catalogue's size. Several threads may use one; the worst that they do to each
    other is to read a price twice.
    """

    def __init__(self) -> None:
        self._prices: dict[str, Price] = {}
        self._asked: set[str] = set()
        #: What was asked for before each of the latest refreshes, the newest first.
        self._asked_before: deque[set[str]] = deque(maxlen=REFRESHES_REMEMBERED)
        self._fresh_until = 0.0

    def remembered(self, skus: Collection[str]) -> dict[str, Price] | None:
        """The price of each SKU without asking MongoDB; None where it has to be asked."""
        if time.monotonic() >= self._fresh_until:
            return None
        known = self._prices
        self._asked.update(skus)
        try:
            return {sku: known[sku] for sku in skus}
        except KeyError:
            return None

    def prices(self, skus: Iterable[str]) -> dict[str, Price]:
        """The price of each SKU that is sold; an unknown one is left out.

        Raises:
            pymongo.errors.PyMongoError: MongoDB did not answer.
        """
        wanted = set(skus)
        self._asked.update(wanted)
        self._refresh()
        if missing := wanted - self._prices.keys():
            self._prices |= read_prices(missing)
        known = self._prices
        return {sku: known[sku] for sku in wanted if sku in known}

    def _refresh(self) -> None:
        now = time.monotonic()
        if now < self._fresh_until:
            return
        # Set first: the requests beside this one go on with the prices that are there.
        self._fresh_until = now + FRESH_SECONDS
        asked = self._asked_of_late()
        self._prices = read_prices(asked) if asked else {}

    def _asked_of_late(self) -> set[str]:
        self._asked_before.appendleft(self._asked)
        self._asked = set()
        of_late: set[str] = set()
        # A copy, since another thread may begin a refresh, too.
        for asked in [*self._asked_before]:
            with_older = of_late | asked
            if of_late and len(with_older) > REFRESH_SKUS:
                break
            of_late = with_older
        return of_late


def read_prices(skus: set[str]) -> dict[str, Price]:
    """Read the prices of these SKUs from the products collection."""
    products = connection.database["products"]
    # `$type` lets MongoDB use an index that is partial on the field's type.
    query = {"sku": {"$in": sorted(skus), "$type": "string"}}
    found = products.find(query, {"_id": 0, "sku": 1, "price": 1, "currency": 1})
    return {product["sku"]: _price(product) for product in found}


def _price(product: dict[str, Any]) -> Price:
    return Price(product["price"].to_decimal().quantize(Decimal("0.01")), product["currency"])


catalogue = Catalogue()
