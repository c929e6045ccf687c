"""No edit changes which order a message is about, nor what it costs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from failed_messages.acting.unchangeable import Changed, check_unchanged

ORDER: dict[str, Any] = {
    "orderId": "a",
    "userId": 1,
    "items": [
        {"sku": "pen", "quantity": 2, "unitPrice": "1.00"},
        {"sku": "book", "quantity": 1, "unitPrice": "12.50"},
    ],
    "total": "14.50",
    "currency": "EUR",
}


def edited(**changed: object) -> bytes:
    return json.dumps({**ORDER, **changed}).encode()


def check(body: bytes, original: bytes = edited(), order_id: str = "a") -> None:
    check_unchanged(original, order_id, body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (edited(orderId="b"), "orderId"),
        (edited(orderId=None), "orderId"),
        (edited(total="0.01"), "total"),
        (edited(total=14.5), "total"),
        (edited(currency="JPY"), "currency"),
        (edited(items=[{**ORDER["items"][0], "unitPrice": "0"}, ORDER["items"][1]]), "unitPrice"),
        (edited(items=ORDER["items"][:1]), r"items\[1\].unitPrice"),
        (edited(items=ORDER["items"][::-1]), r"items\[0\].unitPrice"),
        (json.dumps({"userId": 1}).encode(), "orderId"),
        (b"{", "orderId"),
        (b"[]", "orderId"),
    ],
)
def test_what_would_change_the_order_or_its_money_is_refused(body: bytes, field: str) -> None:
    with pytest.raises(Changed, match=field):
        check(body)


def test_anything_else_may_be_edited() -> None:
    check(edited(userId=2, note="by hand"))
    check(edited(items=[{**each, "quantity": 3} for each in ORDER["items"]]))


def test_what_is_missing_may_be_added_but_no_other_order() -> None:
    check(edited(), original=b'{"userId": 1}')
    check(edited(), original=b"not JSON", order_id="")
    with pytest.raises(Changed, match="orderId"):
        check(edited(orderId="b"), original=b"not JSON")


@pytest.mark.parametrize("name", ["tax", "taxRate", "netTotal", "UNITPRICE", "amount", "priceList"])
def test_money_is_known_by_its_name(name: str) -> None:
    with pytest.raises(Changed, match=name):
        check(json.dumps({name: 2}).encode(), original=json.dumps({name: 1}).encode())
