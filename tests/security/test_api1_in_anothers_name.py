"""OWASP API1:2023: what a customer asks for in another's name is refused at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from tests.asgi_client import AsgiClient
from tests.security.conftest import known

pytestmark = pytest.mark.usefixtures("clean", "closed_api")

WAYS = pytest.mark.parametrize("way", [Client, AsgiClient], ids=["django", "fast path"])


def headers(client: Client) -> dict[str, str]:
    return {"host": "localhost", "authorization": client.defaults["HTTP_AUTHORIZATION"]}


@WAYS
@pytest.mark.parametrize("key", [{}, {"idempotency-key": "k"}], ids=["no key", "key"])
def test_an_order(way: Any, key: dict[str, str]) -> None:
    customer = known("orders:place", user_id=101)
    body = json.dumps({"userId": 102, "items": ["book"]})

    answer = way().post(
        "/orders", body, content_type="application/json", headers=headers(customer) | key
    )

    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    [error] = answer.json()["errors"]
    assert (error["field"], error["detail"]) == ("userId", "must be the user of this key")
    assert "101" in error["fix"]


@pytest.mark.parametrize("number", ["102", "0102", "+101", " 101", "1" * 30, "101,102"])
def test_a_filter_reaches_nobody_else(number: str) -> None:
    answer = known("orders:read", user_id=101).get("/orders", {"userId": number})

    assert answer.status_code in (400, 404)
    assert "orders" not in answer.json()
