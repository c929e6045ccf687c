"""The products of one run, and how many units of each are put in."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal

from bson import Decimal128
from pymongo import WriteConcern
from pymongo.database import Database

from drills.cluster.replica_set import Document

PRODUCTS = 12
SCARCE_PRODUCTS = 3
MANY_UNITS = 100_000
FEW_UNITS = 5


@dataclass(frozen=True, slots=True)
class Stock:
    """SKUs that no other run sells."""

    #: Units by SKU.
    put_in: dict[str, int]

    @property
    def plenty(self) -> list[str]:
        return [sku for sku, units in self.put_in.items() if units > FEW_UNITS]

    @property
    def scarce(self) -> list[str]:
        """Those that run out."""
        return [sku for sku, units in self.put_in.items() if units <= FEW_UNITS]


def put_in(database: Database[Document], run: str, chance: random.Random) -> Stock:
    """Add the run's products to the catalogue, before anything is broken."""
    plenty = {f"{run}-{number}": MANY_UNITS for number in range(PRODUCTS)}
    scarce = {f"{run}-scarce-{number}": FEW_UNITS for number in range(SCARCE_PRODUCTS)}
    stock = Stock(plenty | scarce)
    products = database.get_collection("products", write_concern=WriteConcern("majority"))
    products.insert_many(_product(sku, units, chance) for sku, units in stock.put_in.items())
    return stock


def _product(sku: str, units: int, chance: random.Random) -> Document:
    return {
        "sku": sku,
        "name": sku,
        "price": Decimal128(Decimal(chance.randint(100, 9_999)) / 100),
        "currency": "EUR",
        "available": units,
        "reserved": 0,
        "shipped": 0,
    }
