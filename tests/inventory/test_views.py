"""The staff's programs restock and ship over HTTP."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from bson import Decimal128
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from inventory.reserving import products, reservations, reserve
from tests.inventory.catalogue import order, stock, stocked

pytestmark = pytest.mark.usefixtures("clean")

RESTOCK = "/inventory/products/pen/restock"
SHIP = "/inventory/reservations/o1/ship"


def client(name: str) -> Client:
    basic = b64encode(f"{name}:secret".encode()).decode()
    return Client(headers={"host": "localhost", "authorization": f"Basic {basic}"})


@pytest.fixture
def operator() -> Client:
    User.objects.create_superuser("operator", password="secret")
    return client("operator")


def post(who: Client, address: str, body: Any = None, **headers: str) -> HttpResponse:
    return who.post(address, json.dumps(body), content_type="application/json", headers=headers)


def test_restocking_answers_with_the_stock_as_it_is_then(operator: Client) -> None:
    stocked(pen=1)
    reserve(order("o1", pen=1))

    answer = post(operator, RESTOCK, {"quantity": 5})

    assert answer.status_code == 200
    assert answer.json() == {"sku": "pen", "available": 5, "reserved": 1, "shipped": 0}


def test_a_repeated_key_restocks_once(operator: Client) -> None:
    stocked(pen=1)

    answers = [post(operator, RESTOCK, {"quantity": 5}, Idempotency_Key="note 1") for _ in range(2)]
    other = post(operator, RESTOCK, {"quantity": 6}, Idempotency_Key="note 1")

    assert [answer.status_code for answer in answers] == [200, 200]
    assert "Idempotent-Replayed" not in answers[0]
    assert answers[1]["Idempotent-Replayed"] == "true"
    assert (other.status_code, other["content-type"]) == (422, "application/problem+json")
    assert stock("pen") == (6, 0)


def test_two_requests_without_a_key_are_two_deliveries(operator: Client) -> None:
    stocked(pen=1)

    post(operator, RESTOCK, {"quantity": 5})
    post(operator, RESTOCK, {"quantity": 5})

    assert stock("pen") == (11, 0)


@pytest.mark.parametrize(
    "body",
    [
        *(None, [], {}, {"quantity": 0}, {"quantity": -1}, {"quantity": "5"}, {"quantity": 1.5}),
        *({"quantity": True}, {"quantity": 10**9}, {"quantity": {"$gt": 0}}, {"qty": 5}),
        *({"quantity": 2**63}, {"quantity": 2**64}, {"quantity": -(2**63) - 1}, {"quantity": 5.0}),
    ],
    ids=str,
)
def test_a_delivery_that_makes_no_sense_is_refused(operator: Client, body: Any) -> None:
    stocked(pen=1)

    answer = post(operator, RESTOCK, body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["fix"].removeprefix("Remove it. ") == (
        'Send {"quantity": n} with a whole number from 1 to 10,000,000.'
    )
    assert stock("pen") == (1, 0)


@pytest.mark.parametrize("where", ["available", "reserved", "shipped"])
def test_units_that_cannot_be_counted_any_more_are_refused(operator: Client, where: str) -> None:
    stocked(pen=1)
    products().update_one({"sku": "pen"}, {"$set": {where: 2**63 - 4}})
    room = 3 - (0 if where == "available" else 1)

    full = post(operator, RESTOCK, {"quantity": room + 1})
    several = [post(operator, RESTOCK, {"quantity": 1}).status_code for _ in range(room + 1)]

    assert (full.status_code, full["content-type"]) == (409, "application/problem+json")
    assert full.json()["errors"][0]["field"] == "quantity"
    assert f"at most {room}" in full.json()["errors"][0]["fix"]
    assert several == [200] * room + [409]


def test_shipping_twice_says_that_it_was_shipped_before(operator: Client) -> None:
    stocked(pen=1)
    reserve(order("o1", pen=1))

    first, second = post(operator, SHIP).json(), post(operator, SHIP).json()

    assert first["message"] == "Order o1 was shipped."
    assert second["message"].startswith("Order o1 was shipped already, at 20")
    assert second["message"].endswith("UTC by operator. Nothing was shipped again.")


def test_what_is_not_there_is_named(operator: Client) -> None:
    for address, body in ((RESTOCK, {"quantity": 1}), (SHIP, None)):
        answer = post(operator, address, body)
        assert (answer.status_code, answer["content-type"]) == (404, "application/problem+json")
    assert "o1" in answer.json()["detail"]


def test_shipping_answers_the_same_each_time(operator: Client) -> None:
    stocked(pen=2)
    reserve(order("o1", pen=2))

    first, second = post(operator, SHIP), post(operator, SHIP)

    assert first.status_code == second.status_code == 200
    assert first.json()["state"] == "shipped"
    assert first.json()["items"] == [{"sku": "pen", "quantity": 2}]
    assert first.json()["shippedAt"][:19] == second.json()["shippedAt"][:19]


def test_a_rejected_order_is_not_shipped(operator: Client) -> None:
    stocked(pen=1)
    reserve(order("o1", pen=2))

    answer = post(operator, SHIP)

    assert answer.status_code == 409
    assert "is rejected, so it has no stock to ship" in answer.json()["detail"]


def test_stock_that_is_elsewhere_is_not_shipped(operator: Client) -> None:
    stocked(pen=1)
    reserve(order("o1", pen=1))
    products().update_one({"sku": "pen"}, {"$set": {"reserved": 0}})

    answer = post(operator, SHIP)

    assert answer.status_code == 409
    assert "is not where its reservation says" in answer.json()["detail"]
    assert reservations().find_one({"_id": "o1"})["state"] == "reserved"


def test_a_product_of_another_program_is_restocked(operator: Client) -> None:
    """One that lacks what this site writes has none of it."""
    foreign = {"sku": "pen", "price": Decimal128("1.50"), "currency": "EUR", "available": 5}
    products().insert_one(foreign)

    answer = post(operator, RESTOCK, {"quantity": 5})
    again = post(operator, RESTOCK, {"quantity": 5}, Idempotency_Key="a")
    repeated = post(operator, RESTOCK, {"quantity": 5}, Idempotency_Key="a")

    assert answer.json() == {"sku": "pen", "available": 10, "reserved": 0, "shipped": 0}
    assert again.json() == repeated.json() == answer.json() | {"available": 15}


@pytest.mark.parametrize("wrong", ["5", None, [1], True], ids=str)
@pytest.mark.parametrize("field", ["available", "reserved"])
def test_a_product_without_a_right_stock_is_not_restocked(
    operator: Client, field: str, wrong: Any
) -> None:
    stocked(pen=1)
    products().update_one({"sku": "pen"}, {"$set": {field: wrong}})

    answer = post(operator, RESTOCK, {"quantity": 5})

    assert answer.status_code == 409
    assert f"'pen' has no right number in its field {field}" in answer.json()["detail"]
    assert products().find_one({"sku": "pen"})[field] == wrong


@pytest.mark.parametrize("address", [RESTOCK, SHIP])
def test_only_staff_with_the_permission_moves_stock(address: str) -> None:
    stocked(pen=1)
    reserve(order("o1", pen=1))
    User.objects.create_user("customer", password="secret")
    User.objects.create_user("clerk", password="secret", is_staff=True)

    unknown = post(Client(headers={"host": "localhost"}), address, {"quantity": 1})
    assert unknown.status_code == 401
    assert "Basic realm=" in unknown["www-authenticate"]
    assert post(client("nobody"), address, {"quantity": 1}).status_code == 401
    for name in ("customer", "clerk"):
        answer = post(client(name), address, {"quantity": 1})
        assert answer.status_code == 403
        assert "You lack the permission inventory." in answer.json()["detail"]
    assert stock("pen") == (0, 1)
