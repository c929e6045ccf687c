"""Which requests a key takes for the same, and what it answers. In memory."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orders.idempotency import first_answer, owned, read
from orders.requests.order_request import BODY, OrderRequest
from runtime.requests.caller import Caller
from runtime.requests.idempotency_key import MOST_CHARACTERS
from runtime.requests.refusal import Refusal

ORDER = {
    "_id": "6743f0",
    "user_id": 101,
    "status": "confirmed",
    "items": [{"sku": "book", "quantity": 2}, {"sku": "pen", "quantity": 1}],
}


def request(items: list[Any], user_id: int = 101) -> OrderRequest:
    return BODY.decode(json.dumps({"userId": user_id, "items": items}).encode())


@pytest.mark.parametrize(
    "items",
    [
        ["book", "book", "pen"],
        ["pen", "book", "book"],
        [{"sku": "pen", "quantity": 1}, {"sku": "book", "quantity": 2}],
        [{"sku": "book", "quantity": 1}, "book", "pen"],
    ],
)
def test_the_same_units_are_the_same_request_however_they_are_written(items: list[Any]) -> None:
    assert first_answer(ORDER, request(items)) == ORDER | {"status": "placed"}


@pytest.mark.parametrize(
    "other",
    [request(["book", "pen"]), request(["book", "book", "pen", "cup"]), request(["book"], 102)],
)
def test_another_request_is_refused_with_what_to_do(other: OrderRequest) -> None:
    with pytest.raises(Refusal) as refused:
        first_answer(ORDER, other)

    assert refused.value.status_code == 422
    [fault] = refused.value.errors
    assert fault["field"] == "Idempotency-Key"
    assert "a new key" in fault["fix"]


def test_a_key_belongs_to_its_caller() -> None:
    one, other = (Caller(f"key:{number}", "a shop", frozenset()) for number in (1, 2))
    of_102 = request(["book"], 102)

    assert owned(request(["book"]), "key", one) == owned(of_102, "key", one)
    assert owned(of_102, "key", one) != owned(of_102, "key", other)


def test_where_nobody_knows_the_caller_it_belongs_to_the_orders_user() -> None:
    anyone = Caller("", "anyone", frozenset(), is_anyone=True)

    assert owned(request(["book"]), "key", anyone) != owned(request(["book"], 102), "key", anyone)


@pytest.mark.parametrize(("sent", "key"), [("a", "a"), (" a ", "a"), ("a,a", "a"), ("a, a", "a")])
def test_a_key_that_came_twice_is_one(sent: str, key: str) -> None:
    assert read(sent) == key


@pytest.mark.parametrize("sent", ["", " ", "a,b", "x" * (MOST_CHARACTERS + 1)])
def test_a_key_that_is_none_is_refused(sent: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(sent)

    assert refused.value.status_code == 400
    assert refused.value.errors[0]["fix"]
