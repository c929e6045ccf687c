"""Placing and reading orders while MongoDB is down."""

from __future__ import annotations

import json
import time

import pytest
from django.test import Client

from localservices.mongodb import MongoDB
from tests.orders.conftest import Place
from tests.polling import eventually


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_without_mongodb_the_answer_is_503_within_three_seconds(
    either_way: Client, place: Place, mongodb: MongoDB, how: str
):
    order_id = place()["orderId"]
    getattr(mongodb, how)()
    try:
        for ask in (
            lambda: either_way.post(
                "/orders",
                json.dumps({"userId": 1, "items": ["book"]}),
                content_type="application/json",
            ),
            lambda: either_way.get("/orders"),
            lambda: either_way.get(f"/orders/{order_id}"),
        ):
            started = time.monotonic()
            response = ask()
            assert response.status_code == 503
            assert response.headers["Content-Type"] == "application/problem+json"
            assert time.monotonic() - started < 3
    finally:
        mongodb.thaw()
        mongodb.start()

    assert eventually(lambda: either_way.get(f"/orders/{order_id}").status_code == 200)
    assert eventually(place)
