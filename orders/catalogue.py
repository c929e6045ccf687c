"""What orders knows of the catalogue: the price of each SKU.

Products belong to inventory. An order still needs their prices before it can be stored, in one
read that costs next to nothing, so orders keeps its own small read model of the `products`
collection: a few fields, read without inventory's code, cached for a second. A price that
changes is charged a second later; an SKU that the cache lacks is read before it is refused,
so that a new product can be ordered at once. A product that was withdrawn is as unknown as one that
never was. A product whose price cannot be charged is left out, and the log says why: its own orders
are refused, and all other prices are read.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Collection, Iterable
from itertools import islice

from django.db import connection

from runtime.batches import in_batches
from runtime.money.price import InvalidPrice, Price, price_of
from runtime.stored_documents import AWARE

logger = logging.getLogger(__name__)

FRESH_SECONDS = 1.0
#: A refresh reads what was asked for since so many refreshes, so that a client at a slow pace, too,
#: finds nearly every price remembered …
REFRESHES_REMEMBERED = 10
#: … unless that is more than a refresh may cost: then the others are read when asked for.
REFRESH_SKUS = 2_000
#: In one query: MongoDB takes 16 MiB, and a SKU of 64 characters has up to 256 bytes.
QUERY_SKUS = 10_000
#: Named in the log's line about products that cannot be sold; `doctor` names the others.
NAMED_PRODUCTS = 5


class Catalogue:
    """Prices by SKU, at most `FRESH_SECONDS` old.

    Each refresh reads the SKUs that were asked for lately, in one query: its cost follows the
    traffic, not the catalogue's size. Several threads may use one; the worst that they do to each
    other is to read a price twice.
    """

    def __init__(self) -> None:
        self._prices: dict[str, Price] = {}
        #: Of products that are there and cannot be sold: what is wrong with each.
        self._unpriced: dict[str, str] = {}
        self._asked: set[str] = set()
        #: What was asked for before each of the latest refreshes, the newest first. The one that
        #: makes the next one asks after it, which is one more.
        self._asked_before: deque[set[str]] = deque(maxlen=REFRESHES_REMEMBERED - 1)
        self._fresh_until = 0.0

    def remembered(self, skus: Collection[str]) -> dict[str, Price] | None:
        """The price of each SKU without asking MongoDB; None where it has to be asked."""
        if time.monotonic() >= self._fresh_until:
            return None
        known = self._prices
        try:
            prices = {sku: known[sku] for sku in skus}
        except KeyError:
            return None
        self._note_asked(prices)
        return prices

    def prices(self, skus: Iterable[str]) -> dict[str, Price]:
        """The price of each SKU that is sold; one that is unknown or has no price is left out.

        Raises:
            pymongo.errors.PyMongoError: MongoDB did not answer.
        """
        wanted = set(skus)
        self._refresh()
        if missing := wanted - self._prices.keys():
            self._prices |= self._read(missing)
        known = self._prices
        prices = {sku: known[sku] for sku in wanted if sku in known}
        self._note_asked(prices)
        return prices

    def is_unpriced(self, sku: str) -> bool:
        """Whether the product is there, and left out for its price; as it was last read."""
        return sku in self._unpriced

    def _note_asked(self, prices: Collection[str]) -> None:
        """Only what is sold, and what a refresh may cost: a client may ask for anything."""
        if len(self._asked) < REFRESH_SKUS:
            self._asked.update(prices)

    def _refresh(self) -> None:
        now = time.monotonic()
        if now < self._fresh_until:
            return
        # Set first: the requests beside this one go on with the prices that are there.
        self._fresh_until = now + FRESH_SECONDS
        asked = self._asked_of_late()
        try:
            self._prices = self._read(asked)
        except Exception:
            # The prices that are there are too old for the next request: it has to read them.
            self._fresh_until = 0.0
            raise

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

    def _read(self, skus: set[str]) -> dict[str, Price]:
        prices, unpriced = read_prices(skus)
        news = {sku: why for sku, why in unpriced.items() if self._unpriced.get(sku) != why}
        for sku in self._unpriced.keys() & (skus - unpriced.keys()):
            self._unpriced.pop(sku, None)
        self._unpriced |= unpriced
        if news:
            log_unpriced(news)
        return prices


def read_prices(skus: set[str]) -> tuple[dict[str, Price], dict[str, str]]:
    """Read these SKUs' products: the prices, and what is wrong with those that have none."""
    prices: dict[str, Price] = {}
    unpriced: dict[str, str] = {}
    products = connection.database.get_collection("products", codec_options=AWARE)
    for some in in_batches(sorted(skus), QUERY_SKUS):
        # `$type` lets MongoDB use an index that is partial on the field's type.
        query = {"sku": {"$in": some, "$type": "string"}, "withdrawn_at": None}
        for product in products.find(query, {"_id": 0, "sku": 1, "price": 1, "currency": 1}):
            try:
                prices[product["sku"]] = price_of(product)
            except InvalidPrice as error:
                unpriced[product["sku"]] = str(error)
    return prices, unpriced


def log_unpriced(unpriced: dict[str, str]) -> None:
    """Log the products that cannot be sold."""
    named = [f"{sku} ({why})" for sku, why in islice(unpriced.items(), NAMED_PRODUCTS)]
    logger.error(
        "%d product(s) cannot be sold: their orders are refused, all others are accepted. `python "
        "manage.py doctor` says how to correct each: %s%s",
        len(unpriced),
        "; ".join(named),
        " …" if len(unpriced) > len(named) else "",
    )


catalogue = Catalogue()
