"""The fast path answers as Django's own way does, and only where it may."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.conf import settings
from django.core.signals import request_started
from django.test import Client, override_settings
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAdminUser
from rest_framework.throttling import AnonRateThrottle

from orders.views import OrdersView
from ordersite.access import bearer, keys
from ordersite.web.fast_path import does_all_of
from tests.asgi_client import AsgiClient
from tests.orders.conftest import client, products  # noqa: F401

ORDER = '{"userId": 101, "items": ["book", {"sku": "pen", "quantity": 2}]}'
JSON = "application/json"

#: What differs between two orders.
OWN = re.compile(rb'[0-9a-f]{24}|"createdAt":"[^"]*"')


def comparable(response: Any) -> tuple[int, dict[str, str], bytes]:
    headers = {
        name.lower(): OWN.sub(b"*", value.encode()) for name, value in response.headers.items()
    }
    assert headers.pop("x-request-id")
    return response.status_code, headers, OWN.sub(b"*", response.content)


@pytest.mark.parametrize(
    ("body", "content_type", "headers"),
    [
        (ORDER, JSON, {}),
        (ORDER, f"{JSON}; charset=utf-8", {}),
        (ORDER, f"{JSON};charset=UTF-8", {}),
        (ORDER, JSON, {"accept": "text/html"}),
        (ORDER, "text/plain", {}),
        (ORDER, JSON, {"host": "elsewhere.example"}),
        (ORDER, JSON, {"host": "[::1]:8000"}),
        (ORDER, JSON, {"idempotency-key": ""}),
        (ORDER, JSON, {"idempotency-key": "k" * 256}),
        ("", JSON, {"transfer-encoding": "chunked"}),
        ("", JSON, {}),
        ("{", JSON, {}),
        ('{"userId": 101, "items": ["bok"]}', JSON, {}),
        ('{"userId": 0, "items": ["book"]}', JSON, {}),
        ('{"userId": 1, "items": [{"sku": "pen", "quantity": 10000}, "pen"]}', JSON, {}),
        (ORDER + " " * 2**21, JSON, {}),
    ],
)
def test_both_ways_answer_alike(
    client: Client,  # noqa: F811
    body: str,
    content_type: str,
    headers: dict[str, str],
):
    with override_settings(DEBUG=False):  # whose pages show the server's insides
        django = client.post("/orders", body, content_type=content_type, headers=headers)
        hot = AsgiClient().post("/orders", body, content_type=content_type, headers=headers)

    assert comparable(hot) == comparable(django)


def test_both_ways_refuse_an_order_with_a_parameter(client: Client):  # noqa: F811
    django = client.post("/orders?dryRun=true", ORDER, content_type=JSON)
    hot = AsgiClient().post("/orders?dryRun=true", ORDER, content_type=JSON)

    assert hot.status_code == 400
    assert hot.json()["errors"][0]["field"] == "dryRun"
    assert comparable(hot) == comparable(django)


@pytest.fixture
def reached_django():
    """Grows with each request that Django's own way answers."""
    reached: list[Any] = []

    def note(**request: Any) -> None:
        reached.append(request)

    request_started.connect(note)
    yield reached
    request_started.disconnect(note)


def test_a_plain_order_does_not_reach_django(client: Client, reached_django: list[Any]):  # noqa: F811
    assert AsgiClient().post("/orders", ORDER, content_type=JSON).status_code == 201
    assert not reached_django


def test_orders_of_a_shop_that_comes_back_from_a_pause_do_not_reach_django(
    client: Client,  # noqa: F811
    reached_django: list[Any],
):
    key = keys.create("a shop", ["orders:place"], by="a test", user_id=None).secret
    shop = {"authorization": f"Bearer {key}"}
    for is_new in (True, False):
        response = AsgiClient().post("/orders", ORDER, content_type=JSON, headers=shop)
        assert (response.status_code, bool(reached_django)) == (201, is_new)
        reached_django.clear()
        bearer.remembered.keep(
            bearer.digest_of(key.encode()), bearer.caller(shop["authorization"]), 0
        )


def test_an_order_with_a_key_that_was_revoked_in_a_pause_is_refused(
    client: Client,  # noqa: F811
):
    key = keys.create("a shop", ["orders:place"], by="a test", user_id=None)
    shop = {"authorization": f"Bearer {key.secret}"}
    caller = bearer.caller(shop["authorization"])
    keys.revoke(key.record.id, by="a test")
    bearer.remembered.keep(bearer.digest_of(key.secret.encode()), caller, 0)

    response = AsgiClient().post("/orders", ORDER, content_type=JSON, headers=shop)

    assert response.status_code == 401
    assert "revoked" in response.json()["detail"]


def test_a_new_idempotency_key_does_not_reach_django_but_a_repeat_does(
    client: Client,  # noqa: F811
    reached_django: list[Any],
):
    for reached in (False, True):
        key = {"idempotency-key": "a"}
        response = AsgiClient().post("/orders", ORDER, content_type=JSON, headers=key)
        assert (response.status_code, bool(reached_django)) == (201, reached)


@pytest.mark.parametrize(
    "asking",
    [
        {"authentication_classes": [SessionAuthentication]},
        {"permission_classes": [IsAdminUser]},
        {"throttle_classes": [AnonRateThrottle]},
    ],
)
def test_a_view_that_asks_for_more_than_the_fast_path_does_has_none(asking: dict[str, Any]):
    assert does_all_of(OrdersView)
    assert not does_all_of(type("Asking", (OrdersView,), asking))


def test_a_middleware_that_the_fast_path_does_not_know_ends_it():
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, "somebody.elses.Middleware"]):
        assert not does_all_of(OrdersView)


def test_without_mongodb_both_ways_answer_alike(client: Client, mongodb: Any):  # noqa: F811
    AsgiClient().post("/orders", ORDER, content_type=JSON)
    mongodb.kill()
    try:
        django = client.post("/orders", ORDER, content_type=JSON)
        hot = AsgiClient().post("/orders", ORDER, content_type=JSON)
    finally:
        mongodb.start()

    assert hot.status_code == 503
    assert comparable(hot) == comparable(django)
    assert "Idempotency-Key" in json.loads(hot.content)["detail"]
