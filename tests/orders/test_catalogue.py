"""What orders remembers of the catalogue: for how long, and of which products."""

from __future__ import annotations

from decimal import Decimal

import pytest
from bson import Decimal128
from django.db import connection

from orders import catalogue
from orders.catalogue import FRESH_SECONDS, REFRESHES_REMEMBERED, Catalogue


class Clock:
    """A clock that stands still between two steps."""

    def __init__(self) -> None:
        self.now_seconds = 0.0

    def monotonic(self) -> float:
        return self.now_seconds

    def pass_by(self) -> None:
        self.now_seconds += FRESH_SECONDS


@pytest.fixture
def clock(products: None, monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(catalogue, "time", clock)
    return clock


def test_a_changed_price_is_charged_a_second_later(clock: Clock):
    shop = Catalogue()
    assert shop.prices(["book"])["book"].amount == Decimal("12.50")

    changed = {"$set": {"price": Decimal128("13.00")}}
    connection.database["products"].update_one({"sku": "book"}, changed)

    assert shop.prices(["book"])["book"].amount == Decimal("12.50")
    clock.pass_by()
    assert shop.remembered(["book"]) is None
    assert shop.prices(["book"])["book"].amount == Decimal("13.00")


def test_a_product_that_is_sold_no_more_is_forgotten_a_second_later(clock: Clock):
    shop = Catalogue()
    shop.prices(["book", "pen"])

    connection.database["products"].delete_one({"sku": "book"})
    clock.pass_by()

    assert shop.prices(["book", "pen"]).keys() == {"pen"}


@pytest.mark.parametrize(
    ("later_refreshes", "is_remembered"),
    [(REFRESHES_REMEMBERED - 1, True), (REFRESHES_REMEMBERED, False)],
)
def test_a_price_is_remembered_for_some_refreshes(
    clock: Clock, later_refreshes: int, is_remembered: bool
):
    """So a slow pace, too, seldom asks for one that has to be read."""
    shop = Catalogue()
    shop.prices(["book", "pen"])

    for _ in range(later_refreshes):
        clock.pass_by()
        shop.prices(["pen"])

    assert (shop.remembered(["book"]) is not None) == is_remembered


def test_a_refresh_reads_what_was_asked_last_if_all_would_be_too_much(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(catalogue, "REFRESH_SKUS", 2)
    shop = Catalogue()
    for sku in ("headphones", "book", "pen"):
        shop.prices([sku])
        clock.pass_by()

    shop.prices(["pen"])

    assert shop.remembered(["book", "pen"])
    assert shop.remembered(["headphones"]) is None
