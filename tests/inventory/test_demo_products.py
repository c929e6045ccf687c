"""The demo catalogue is there after one run, and untouched by the next."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from inventory.models import Product
from inventory.order_in_message import PlacedOrder
from inventory.reserving import products, reserve

pytestmark = pytest.mark.usefixtures("clean")


def test_the_tutorials_products_are_in_stock() -> None:
    call_command("load_demo_products")

    for sku in ("book", "pen", "headphones", "charger", "phone"):
        product = Product.objects.get(sku=sku)
        assert product.available >= 1000
        assert product.price > 0
        assert product.currency == "EUR"


def test_a_second_run_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_demo_products")
    reserve(PlacedOrder("o1", 101, {"pen": 2}))
    Product.objects.filter(sku="book").update(price="99.00")
    before = list(products().find(sort=[("_id", 1)]))
    capsys.readouterr()

    call_command("load_demo_products")

    assert list(products().find(sort=[("_id", 1)])) == before
    assert capsys.readouterr().out.startswith("Added 0 demo products")
