"""A small catalogue to try the shop with."""

from __future__ import annotations

from decimal import Decimal

from inventory.catalogue import new_product
from inventory.restocking import add_products
from runtime.money.price import Price

#: sku, name, price in EUR, units; the last three run out soon.
DEMO_PRODUCTS = [
    ("book", "Hardcover notebook, A5", "12.50", 5_000),
    ("pen", "Ballpoint pen, blue", "1.80", 10_000),
    ("headphones", "Over-ear headphones", "89.90", 2_000),
    ("charger", "USB-C charger, 65 W", "34.95", 3_000),
    ("phone", "Phone, 128 GB", "499.00", 1_000),
    ("case", "Phone case, clear", "14.90", 4_000),
    ("cable", "USB-C cable, 2 m", "9.95", 8_000),
    ("lamp", "Desk lamp, dimmable", "39.00", 1_500),
    ("mug", "Stoneware mug, 0.3 l", "11.20", 2_500),
    ("backpack", "Backpack, 20 l", "64.50", 1_200),
    ("globe", "Globe, 30 cm", "54.00", 5),
    ("typewriter", "Typewriter, restored", "240.00", 2),
    ("print", "Signed art print", "120.00", 0),
]


def load() -> int:
    """Add the demo products that the catalogue lacks, change no other; return how many."""
    return add_products(
        [
            new_product(sku, name, Price(Decimal(price), "EUR"), units)
            for sku, name, price, units in DEMO_PRODUCTS
        ]
    )
