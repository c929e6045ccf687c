"""What orders remembers of the catalogue: for how long, and of which products."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import bson
import pymongo
import pytest
from bson import Decimal128
from bson.raw_bson import RawBSONDocument
from django.db import connection
from pymongo.errors import PyMongoError

from orders import catalogue
from orders.catalogue import FRESH_SECONDS, REFRESH_SKUS, REFRESHES_REMEMBERED, Catalogue
from runtime.money.price import price_of


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


def corrupt(sku: str, **fields: Any) -> None:
    """Write to the product as another program would."""
    connection.database["products"].update_one({"sku": sku}, {"$set": fields})


def test_more_skus_than_one_query_takes_are_read_all_the_same(products: None):
    """300 orders of an import may ask for 1,000 SKUs each."""
    unknown = {f"{number:06}" + "\U0001f4e6" * 58 for number in range(80_000)}

    assert Catalogue().prices({*unknown, "book"}).keys() == {"book"}


def test_what_is_not_sold_is_not_read_again_with_each_refresh(clock: Clock):
    shop = Catalogue()
    shop.prices({"book", *(f"unknown-{number}" for number in range(REFRESH_SKUS))})
    shop.prices(["book"])
    clock.pass_by()

    shop.prices(["pen"])

    assert shop.remembered(["book", "pen"]), "what nobody sells has crowded it out"


def test_what_is_read_with_each_refresh_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(catalogue, "REFRESH_SKUS", 2)
    shop = Catalogue()
    for sku in ("book", "pen", "headphones"):
        shop.prices([sku])
    clock.pass_by()

    shop.prices(["pen"])

    assert shop.remembered(["book", "pen"])
    assert shop.remembered(["headphones"]) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"price": 9.95},
        {"price": "9.95"},
        {"price": 9},
        {"price": None},
        {"price": {"amount": "9.95"}},
        {"price": Decimal128("NaN")},
        {"price": Decimal128("sNaN")},
        {"price": Decimal128("Infinity")},
        {"price": Decimal128("-1.00")},
        {"price": Decimal128("9.999")},
        {"price": Decimal128("1E+9")},
        {"currency": None},
        {"currency": "euro"},
        {"currency": 978},
    ],
    ids=str,
)
def test_a_product_with_a_wrong_price_holds_up_no_other(
    clock: Clock, caplog: pytest.LogCaptureFixture, wrong: dict[str, Any]
):
    shop = Catalogue()
    shop.prices(["book", "pen"])

    corrupt("pen", **wrong)
    corrupt("book", price=Decimal128("77.00"))
    clock.pass_by()

    assert shop.prices(["book", "pen"]) == {"book": (Decimal("77.00"), "EUR")}
    assert shop.is_unpriced("pen")
    assert not shop.is_unpriced("book")
    assert "1 product(s) cannot be sold" in caplog.text
    assert "pen (it" in caplog.text
    caplog.clear()
    clock.pass_by()
    shop.prices(["pen"])
    assert caplog.text == "", "it is told once"


def test_a_text_that_is_not_utf_8_holds_up_no_other_product(clock: Clock):
    euro = bson.encode({"currency": "EUR"}).replace(b"EUR", b"E\xffR")
    connection.database["products"].update_one({"sku": "pen"}, {"$set": RawBSONDocument(euro)})

    assert Catalogue().prices(["book", "pen"]).keys() == {"book"}


def test_a_corrected_product_is_sold_at_once(clock: Clock):
    shop = Catalogue()
    corrupt("pen", price="1.20")
    assert not shop.prices(["pen"])

    corrupt("pen", price=Decimal128("1.20"))

    assert shop.prices(["pen"])["pen"].amount == Decimal("1.20")
    assert not shop.is_unpriced("pen")


@pytest.mark.parametrize(
    ("stored", "amount"),
    [("-0", "0.00"), ("-0.00", "0.00"), ("1E+3", "1000.00"), ("9.500", "9.50")],
)
def test_a_price_is_read_as_cents(stored: str, amount: str):
    read = price_of({"price": Decimal128(stored), "currency": "EUR"})

    assert str(read.amount) == amount


def test_a_refresh_that_fails_is_made_again_by_the_next_who_asks(clock: Clock):
    """Else the others would be charged prices that are older than a second."""
    shop = Catalogue()
    shop.prices(["book"])
    corrupt("book", price=Decimal128("77.00"))
    clock.pass_by()
    with pymongo.timeout(1e-9), pytest.raises(PyMongoError):
        shop.prices(["book"])

    assert shop.remembered(["book"]) is None
    assert shop.prices(["book"])["book"].amount == Decimal("77.00")


def test_a_withdrawn_product_is_unknown_a_second_later(clock: Clock):
    shop = Catalogue()
    shop.prices(["book", "pen"])

    corrupt("book", withdrawn_at=datetime(2026, 1, 31, tzinfo=UTC))
    clock.pass_by()

    assert shop.prices(["book", "pen"]).keys() == {"pen"}
    assert not shop.is_unpriced("book")
    corrupt("book", withdrawn_at=None)
    assert shop.prices(["book"]).keys() == {"book"}, "at once, when it is offered again"
