"""OWASP API1:2023: a customer's key reaches its own orders alone, by every route."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Decimal128, ObjectId
from django.http import HttpResponse
from django.test import Client, override_settings

from billing.invoicing import invoices
from orders import unowned_keys
from orders.collection import orders
from ordersite.pipeline import timeline_views
from tests.asgi_client import AsgiClient
from tests.security.conftest import WithKey, secret

OF_AN_ORDER = (
    *(("GET", ""), ("GET", "/timeline"), ("GET", "/events"), ("POST", "/cancel")),
    *(("GET", "/invoice"), ("GET", "/invoice.pdf")),
    *(("GET", "/credit-note"), ("GET", "/credit-note.pdf")),
)
SCOPES = ("orders:place", "orders:read", "orders:cancel", "orders:import", "invoices:read")


@pytest.fixture(autouse=True)
def short_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline_views, "STREAM_SECONDS", 0)


@pytest.fixture
def shop(with_key: WithKey) -> Client:
    return with_key(*SCOPES)


@pytest.fixture
def customer(with_key: WithKey) -> Client:
    return with_key(*SCOPES, user_id=101)


def place(client: Client, user_id: int, **headers: str) -> HttpResponse:
    body = json.dumps({"userId": user_id, "items": ["book"]})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/orders", body, content_type="application/json", headers=named)


def placed(client: Client, user_id: int) -> str:
    """A new order's id; it has an invoice, and a credit note."""
    answer = place(client, user_id)
    assert answer.status_code == 201, answer.content
    order_id = str(answer.json()["order"]["orderId"])
    now = datetime.now(UTC)
    price = Decimal128("12.50")
    line = {"sku": "book", "quantity": 1, "unit_price": price, "amount": price}
    invoices().insert_one(
        {
            "_id": order_id,
            "number": f"2026-{order_id}",
            "user_id": user_id,
            "items": [line],
            "total": price,
            "tax_rate_percent": Decimal128("0"),
            "tax": Decimal128("0"),
            "currency": "EUR",
            "state": "credited",
            "created_at": now,
            "credited_at": now,
            "credit_note_number": f"C2026-{order_id}",
            "credit_reason": "cancelled",
        }
    )
    return order_id


@pytest.mark.parametrize(("method", "rest"), OF_AN_ORDER)
def test_anothers_order_is_as_one_that_is_not_there(
    shop: Client, customer: Client, method: str, rest: str
) -> None:
    own, others = placed(shop, 101), placed(shop, 102)

    def answer(order_id: str, client: Client = customer) -> Any:
        response = client.generic(method, f"/orders/{order_id}{rest}")
        content = b"".join(response) if response.streaming else response.content
        return response.status_code, content.replace(order_id.encode(), b"*")

    missing = answer("a" * 24)
    assert answer(others) == missing
    assert missing[0] == 404
    assert orders().count_documents({"status": "cancelled"}) == 0
    assert answer(own)[0] == 200
    assert answer(others, shop)[0] == 200


def test_a_list_has_a_customers_own_orders_on_every_page(shop: Client, customer: Client) -> None:
    own = {placed(shop, 101) for _ in range(3)}
    others = [placed(shop, 102) for _ in range(3)]

    seen, link = set(), "/orders?limit=2"
    while link:
        page = customer.get(link).json()
        seen |= {each["orderId"] for each in page["orders"]}
        link = page["next"]
    filtered = customer.get("/orders?userId=101&status=placed&createdFrom=2020-01-01").json()

    assert seen == own
    assert {each["orderId"] for each in filtered["orders"]} == own
    assert customer.get("/orders?userId=102").status_code == 404
    # A link of the shop's leads a customer to no more.
    link = shop.get("/orders?limit=1").json()["next"]
    assert {each["userId"] for each in customer.get(link).json()["orders"]} <= {101}
    assert len(shop.get("/orders?userId=102").json()["orders"]) == len(others)


def test_a_customer_places_no_order_in_anothers_name(shop: Client, customer: Client) -> None:
    refused = place(customer, 102)

    assert refused.status_code == 403
    assert refused.json()["errors"][0]["field"] == "userId"
    assert orders().count_documents({}) == 0
    assert [place(shop, user_id).status_code for user_id in (101, 102)] == [201, 201]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (
            "application/x-ndjson",
            '{"userId": 101, "items": ["book"]}\n{"userId": 102, "items": ["book"]}',
        ),
        ("text/csv", "userId,sku,quantity\n101,book,1\n102,book,1\n"),
    ],
)
def test_an_import_takes_the_lines_of_the_customer_alone(
    customer: Client, content_type: str, body: str
) -> None:
    answer = customer.post("/orders/import", body, content_type=content_type)

    lines = [json.loads(line) for line in b"".join(answer).splitlines()]
    assert "userId" in str(lines[1])
    assert "102" not in str(lines[1])
    assert [order["user_id"] for order in orders().find()] == [101]


def test_an_idempotency_key_belongs_to_the_caller(with_key: WithKey, shop: Client) -> None:
    """Neither finds another's order by guessing its key."""
    customer, same_user = (with_key("orders:place", user_id=101) for _ in range(2))

    answers = [place(each, 101, idempotency_key="k") for each in (customer, same_user, shop)]
    repeats = [place(each, 101, idempotency_key="k") for each in (customer, same_user, shop)]
    other = place(shop, 102, idempotency_key="k")

    assert len({each.json()["order"]["orderId"] for each in answers}) == 3
    assert [each.content for each in repeats] == [each.content for each in answers]
    assert other.status_code == 422


@pytest.mark.parametrize("way", [Client, AsgiClient], ids=["django", "fast path"])
def test_an_order_that_was_placed_before_the_upgrade_is_not_placed_again(
    closed: None, way: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then keys belonged to the order's user, and nobody else was known."""
    monkeypatch.setattr(unowned_keys, "_gone_at", None)
    with override_settings(API_IS_OPEN=True):
        before = place(Client(headers={"host": "localhost"}), 101, idempotency_key="k")
    document = orders().find_one()
    orders().insert_one({**document, "_id": ObjectId("5" * 24), "idempotency_key": "x"})
    headers = {"host": "localhost", "authorization": f"Bearer {secret(*SCOPES, user_id=101)}"}

    keys = [headers | {"idempotency-key": key} for key in ("k", "k", "m", "m")]
    answers = [place(way(), 101, **each).json()["order"]["orderId"] for each in keys]

    first = before.json()["order"]["orderId"]
    assert answers[:2] == [first, first]
    assert answers[2] == answers[3] != first


def test_in_a_new_database_nobody_asks_for_keys_of_a_release_before(
    closed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unowned_keys, "_gone_at", None)
    assert not unowned_keys.are_gone()

    assert not unowned_keys.may_exist()
    assert unowned_keys.are_gone()
