"""What the tests of orders share: a catalogue, a client, and a read of the database."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from bson import Decimal128
from django.db import connection
from django.test import Client

from tests.asgi_client import AsgiClient

PRICES = {"book": "12.50", "pen": "1.20", "headphones": "59.00"}

Place = Callable[..., dict[str, Any]]


@pytest.fixture
def products(clean: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue of three products, and no price remembered from another test."""
    # Only now does Django know its settings.
    from orders import placing
    from orders.catalogue import Catalogue

    monkeypatch.setattr(placing, "catalogue", Catalogue())
    connection.database["products"].insert_many(
        {"sku": sku, "price": Decimal128(price), "currency": "EUR", "available": 10, "reserved": 0}
        for sku, price in PRICES.items()
    )


@pytest.fixture
def client(products: None) -> Client:
    # A view's exception is to be answered as it would be in production.
    return Client(raise_request_exception=False, headers={"host": "localhost"})


@pytest.fixture(params=["django", "fast path"])
def either_way(request: pytest.FixtureRequest, products: None) -> Any:
    """A client of Django's own way of a request, then one of the way that the web server takes."""
    if request.param == "django":
        return request.getfixturevalue("client")
    return AsgiClient()


@pytest.fixture
def place(client: Client) -> Place:
    """Places an order over HTTP and returns it as the API shows it."""

    def place(user_id: int = 101, items: list[Any] | None = None) -> dict[str, Any]:
        body = json.dumps({"userId": user_id, "items": items or ["book", "pen"]})
        response = client.post("/orders", body, content_type="application/json")
        assert response.status_code == 201, response.content
        return response.json()["order"]

    return place
