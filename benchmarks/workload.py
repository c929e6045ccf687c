"""The same shop and the same orders for every contender: 2 or 3 lines over 1,000 SKUs."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

SKUS = [f"sku-{n:04}" for n in range(1_000)]
#: So many that no order is rejected in a million.
UNITS_OF_EACH_SKU = 1_000_000_000
MAX_QUANTITY = 3


def price_cents(sku: str) -> int:
    """A price between 1.00 and 99.99."""
    return 100 + int(sku.removeprefix("sku-")) * 7_919 % 9_900


def order_bodies(count: int, seed: int) -> Iterator[bytes]:
    """The JSON bodies of `count` orders; the same seed gives the same ones."""
    chance = random.Random(seed)
    for _ in range(count):
        skus = chance.sample(SKUS, chance.choice((2, 3)))
        items = [{"sku": sku, "quantity": chance.randint(1, MAX_QUANTITY)} for sku in skus]
        order = {"userId": chance.randint(1, 100_000), "items": items}
        yield json.dumps(order, separators=(",", ":")).encode()
