"""A userId that JavaScript would round goes there and back with each of its digits."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from bson import Decimal128, Int64, ObjectId

from orders.representation import order_json
from orders.requests.order_request import BODY
from runtime.requests.number import EXACT_IN_JAVASCRIPT, MOST
from runtime.requests.refusal import Refusal

LARGE = EXACT_IN_JAVASCRIPT + 2


def shown(user_id: int) -> dict[str, object]:
    document = {
        "_id": ObjectId(),
        "user_id": Int64(user_id),
        "items": [],
        "total": Decimal128("0.00"),
        "currency": "EUR",
        "status": "placed",
        "created_at": datetime.now(UTC),
    }
    return order_json(document)


def test_every_number_stays_a_number_and_a_large_one_has_its_text_beside_it() -> None:
    assert shown(101)["userId"] == 101
    assert "userIdText" not in shown(EXACT_IN_JAVASCRIPT)
    assert (shown(LARGE)["userId"], shown(LARGE)["userIdText"]) == (LARGE, str(LARGE))


@pytest.mark.parametrize("user_id", [LARGE, MOST])
def test_a_large_number_may_be_sent_as_text(user_id: int) -> None:
    body = json.dumps({"userId": str(user_id), "items": ["book"]}).encode()

    assert BODY.decode(body).user_id == user_id


@pytest.mark.parametrize(
    "user_id",
    [
        *("101", str(EXACT_IN_JAVASCRIPT), str(MOST + 1), f"-{LARGE}", f"{LARGE}.0", f" {LARGE}"),
        *(f"0{LARGE}", "0101"),
    ],
)
def test_no_other_text_is_a_number(user_id: str) -> None:
    body = json.dumps({"userId": user_id, "items": ["book"]}).encode()

    with pytest.raises(Refusal) as refused:
        BODY.decode(body)

    [fault] = refused.value.errors
    assert (fault["field"], fault["pointer"]) == ("userId", "#/userId")


def test_the_other_faults_of_a_body_with_a_large_number_are_told() -> None:
    body = b'{"userId": "%d", "items": [], "items": [""]}' % LARGE

    with pytest.raises(Refusal) as refused:
        BODY.decode(body)

    assert [each["field"] for each in refused.value.errors] == ["items", "items[0]"]
