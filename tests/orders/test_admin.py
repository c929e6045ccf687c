"""What an operator sees of orders in the admin."""

from __future__ import annotations

import json

import pytest
from bson import ObjectId
from django.contrib.auth.models import User
from django.test import Client

from orders import ledger
from orders.collection import orders
from orders.models import Order
from runtime.paginator import CollectionPaginator
from tests.orders.conftest import Place

LIST = "/admin/orders/order/"


@pytest.fixture
def operator(products: None) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("operator", password="x"))
    return client


def page(operator: Client, address: str) -> str:
    response = operator.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_orders_are_found_by_id_user_and_status(operator: Client, place: Place):
    mine, other = place(101)["orderId"], place(202)["orderId"]
    ledger.record(mine, "inventory", "rejected", "Out of stock")

    def shown(query: str) -> tuple[bool, bool]:
        text = page(operator, f"{LIST}?{query}")
        return f"/{mine}/change/" in text, f"/{other}/change/" in text

    assert shown("") == (True, True)
    assert shown(f"q={mine}") == (True, False)
    assert shown("q=202") == (False, True)
    assert shown("status__exact=rejected") == (True, False)
    assert shown("q=book") == (False, False)
    assert shown(f"q={2**70}") == (False, False)
    assert shown(f"q={'0' * 24}") == (False, False)


def test_an_order_shows_lines_ledger_and_outbox(operator: Client, place: Place):
    order_id = place(101, [{"sku": "book", "quantity": 3}])["orderId"]
    ledger.record(order_id, "inventory", "rejected", "<b>Out of stock</b>")

    text = page(operator, f"{LIST}{order_id}/change/")

    assert "37.50 EUR" in text
    assert "<td>book</td><td>3</td><td>12.50</td>" in text
    assert '<span class="state state-rejected">rejected</span>' in text
    assert "&lt;b&gt;Out of stock&lt;/b&gt;" in text
    assert "order.placed" in text
    assert "order.rejected" in text
    assert "(unreadable)" not in text
    assert text.count(" UTC</td>") >= 2


def test_an_order_cannot_be_changed_by_hand(operator: Client, place: Place):
    order_id = place()["orderId"]

    assert 'name="_save"' not in page(operator, f"{LIST}{order_id}/change/")
    assert operator.post(f"{LIST}{order_id}/change/", {"user_id": 1}).status_code == 403
    assert operator.post(f"{LIST}{order_id}/delete/").status_code == 403
    assert operator.get(f"{LIST}add/").status_code == 403


def test_a_page_reads_no_more_orders_than_it_shows(operator: Client, place: Place):
    order = orders().find_one({"_id": ObjectId(place()["orderId"])})
    orders().insert_many({**order, "_id": ObjectId()} for _ in range(300))

    by_id = Order.objects.order_by("-id")
    plan = json.loads(by_id[:50].explain(verbosity="executionStats"))

    assert plan["executionStats"]["totalDocsExamined"] == 50
    assert CollectionPaginator(by_id, 50).count == 301
    assert CollectionPaginator(by_id.filter(user_id=7), 50).count == 0
