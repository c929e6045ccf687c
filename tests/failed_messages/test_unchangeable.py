"""No edit changes which order a message is about, nor what it costs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from failed_messages.acting.unchangeable import (
    Changed,
    check_has_effect,
    check_ordered,
    check_unchanged,
)

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


PEN, BOOK = ORDER["items"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (edited(userId=2), "userId must stay 1"),
        (edited(userId=None), "userId must stay 1"),
        (edited(items=[{**PEN, "quantity": 200}, BOOK]), r"items\[0\].quantity must stay 2"),
        (edited(items=[{**PEN, "sku": "car"}, BOOK]), r'items\[0\].sku must stay "pen"'),
        (edited(items=[PEN]), r"items\[1\].sku must stay .book., but it is gone"),
        (edited(items=[BOOK, PEN]), r"items\[0\].sku"),
        (edited(items=["pen", BOOK]), r"items\[0\].quantity must stay 2"),
        (edited(items=[PEN, BOOK, BOOK]), "items must stay 2 lines"),
        (b"[]", "userId"),
    ],
)
def test_what_nobody_stored_is_ordered_as_it_was(body: bytes, told: str) -> None:
    with pytest.raises(Changed, match=told):
        check_ordered(edited(), body)


WRONG: list[dict[str, Any]] = [
    *({"userId": each} for each in ("1", 0, -1, 1.0, True, None, [1], 2**63)),
    *({"items": [{**PEN, "quantity": each}, BOOK]} for each in ("2", 0, 10**8, True, None)),
    *({"items": [{**PEN, "sku": each}, BOOK]} for each in ("", "x" * 65, 7, None, ["pen"])),
    *({"items": each} for each in ([], None, "pen", {}, [7, BOOK], ["", BOOK])),
]


@pytest.mark.parametrize("wrong", WRONG, ids=map(str, range(len(WRONG))))
def test_what_is_not_valid_may_be_repaired(wrong: dict[str, Any]) -> None:
    check_ordered(edited(**wrong), edited())


def test_what_is_missing_of_an_order_may_be_added() -> None:
    check_ordered(b'{"orderId": "a"}', edited())
    check_ordered(b"not JSON", edited())
    check_ordered(edited(items=[{"sku": "pen"}]), edited(items=[PEN]))
    check_ordered(edited(), edited(note="by hand", currency="EUR"))


def test_a_sku_alone_is_one_unit() -> None:
    """As the tutorial's publisher sends it, which billing needs the price of."""
    check_ordered(edited(items=["pen"]), edited(items=[{**PEN, "quantity": 1}]))
    for changed in ({**PEN, "quantity": 200}, {**PEN, "sku": "car", "quantity": 1}, "car"):
        with pytest.raises(Changed):
            check_ordered(edited(items=["pen"]), edited(items=[changed]))


@pytest.mark.parametrize("changed", [{"status": "b"}, {"status": "b", "createdAt": "c"}])
def test_an_edit_that_changes_nothing_is_refused(changed: dict[str, Any]) -> None:
    """An order of ours is handled as it is stored."""
    original = edited(status="a", createdAt="a")

    with pytest.raises(Changed, match="status: is taken from the stored order"):
        check_has_effect(original, edited(**{"status": "a", "createdAt": "a", **changed}))


def test_what_a_handler_refused_may_be_put_right() -> None:
    check_has_effect(edited(), edited(status="placed"))
    check_has_effect(edited(status="a"), edited(status="b", userId=2))
    check_has_effect(edited(status="a"), edited(status="a"))
    check_has_effect(b"no JSON", edited(status="b"))
