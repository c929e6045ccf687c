"""What the API takes as an order, and how it says no."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.requests.order_request import BODY, MAX_BODY_BYTES, Item, OrderRequest
from runtime.requests.refusal import Refusal

OPERATOR = {"$gt": ""}


def refusal_of(body: bytes) -> Refusal:
    with pytest.raises(Refusal) as refused:
        BODY.decode(body)
    return refused.value


def test_the_tutorials_request_is_taken():
    body = b'{"userId": 101, "items": ["book", "pen"]}'

    assert BODY.decode(body) == OrderRequest(user_id=101, items=["book", "pen"])


def test_an_item_may_carry_its_quantity():
    body = b'{"userId": 101, "items": [{"sku": "book", "quantity": 2}, "pen"]}'

    assert BODY.decode(body) == OrderRequest(user_id=101, items=[Item("book", 2), "pen"])


@pytest.mark.parametrize(
    ("order", "field", "detail"),
    [
        ({"items": ["book"]}, "userId", "must be given"),
        ({"userId": None, "items": ["book"]}, "userId", ", not null"),
        ({"userId": OPERATOR, "items": ["book"]}, "userId", ", not an object"),
        ({"userId": "101", "items": ["book"]}, "userId", ", not text"),
        ({"userId": True, "items": ["book"]}, "userId", ", not a boolean"),
        ({"userId": 1.5, "items": ["book"]}, "userId", ", not a number with a fraction"),
        ({"userId": 0, "items": ["book"]}, "userId", "a whole number of at least 1"),
        ({"userId": 2**63, "items": ["book"]}, "userId", "at most 9223372036854775807"),
        ({"userId": 1}, "items", "must be given"),
        ({"userId": 1, "items": None}, "items", ", not null"),
        ({"userId": 1, "items": []}, "items", "an array of at least 1 item"),
        ({"userId": 1, "items": ["book"] * 1001}, "items", "at most 1000 items"),
        ({"userId": 1, "items": "book"}, "items", ", not text"),
        ({"userId": 1, "items": OPERATOR}, "items", ", not an object"),
        ({"userId": 1, "items": [""]}, "items[0]", "at least 1 character"),
        ({"userId": 1, "items": ["book", 7]}, "items[1]", "text or an object, not"),
        ({"userId": 1, "items": ["x" * 65]}, "items[0]", "at most 64 characters"),
        ({"userId": 1, "items": [OPERATOR]}, "items[0].$gt", "is not a known field"),
        ({"userId": 1, "items": [{"quantity": 1}]}, "items[0].sku", "must be given"),
        ({"userId": 1, "items": [{"sku": "book"}]}, "items[0].quantity", "must be given"),
        ({"userId": 1, "items": ["book"], "total": "0.01"}, "total", "is not a known field"),
        ({"userId": 1, "items": ["book"], "$where": "1"}, "$where", "is not a known field"),
        (OPERATOR, "$gt", "is not a known field"),
        ({"": 1}, '""', "is not a known field"),
        ({"x` - at `$.y": 1}, "x` - at `$.y", "is not a known field"),
        ([], "body", ", not an array"),
        (None, "body", ", not null"),
        ("book", "body", ", not text"),
    ],
)
def test_what_is_not_an_order_is_refused_by_field(order: object, field: str, detail: str):
    refusal = refusal_of(json.dumps(order).encode())

    assert refusal.status_code == 400
    fault = refusal.errors[0]
    assert fault["field"] == field
    assert detail in fault["detail"]
    assert fault["fix"]


@pytest.mark.parametrize("quantity", [0, -1, 1.5, 2.0, 10**9, "2", None, OPERATOR, [1], True])
def test_a_quantity_is_a_whole_number_up_to_ten_thousand(quantity: object):
    order = {"userId": 1, "items": ["pen", {"sku": "book", "quantity": quantity}]}

    [fault] = refusal_of(json.dumps(order).encode()).errors

    assert fault["field"] == "items[1].quantity"
    assert fault["fix"] == "Send a whole number from 1 to 10000, without quotes."


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "must be JSON"),
        (b"userId=101", "must be JSON"),
        (b'{"userId": 101, "items": ["book"]', "must be JSON"),
        (b'{"userId": NaN, "items": ["book"]}', "must be JSON"),
        (b'{"userId": 1, "items": ["book"]} {}', "must be JSON"),
        (b'\xef\xbb\xbf{"userId": 1, "items": ["book"]}', "must be JSON"),
        ('{"userId": 1, "items": ["book"]}'.encode("utf-16"), "must be JSON"),
        (b'{"userId": 1, "items": ["\xff"]}', "must be UTF-8"),
        (b"[" * 500_000, "must be JSON"),
    ],
)
def test_what_is_not_json_in_utf8_is_refused(body: bytes, detail: str):
    refusal = refusal_of(body)

    assert refusal.status_code == 400
    [fault] = refusal.errors
    assert fault["field"] == "body"
    assert detail in fault["detail"]
    assert '{"userId": 101' in fault["fix"]


@pytest.mark.parametrize("start", [b'{"userId":1,"items":', b'{"a":', b'{"userId":', b""])
@pytest.mark.parametrize("nesting", [b"[", b'{"a":'])
def test_deep_nesting_is_refused(start: bytes, nesting: bytes):
    assert refusal_of(start + nesting * 100_000).status_code == 400


def test_a_body_over_the_limit_is_refused_as_too_long():
    refusal = refusal_of(b" " * (MAX_BODY_BYTES + 1))

    assert refusal.status_code == 413
    assert "at most 1048576 bytes" in refusal.errors[0]["fix"]


def test_a_long_unknown_name_is_not_sent_back_whole():
    refusal = refusal_of(json.dumps({"x" * 100_000: 1}).encode())

    assert len(str(refusal.detail)) < 500


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
near_orders = st.fixed_dictionaries(
    {"userId": json_values | st.integers(1, 9), "items": st.lists(json_values | st.text())}
)


def answer_to(body: bytes) -> OrderRequest | Refusal:
    try:
        return BODY.decode(body)
    except Refusal as refusal:
        return refusal


@given(near_orders | json_values)
def test_any_json_is_an_order_or_a_refusal_that_says_what_to_send(value: object):
    answer = answer_to(json.dumps(value).encode())

    if isinstance(answer, OrderRequest):
        assert answer.user_id >= 1
        assert 1 <= len(answer.items) <= 1000
    else:
        assert answer.status_code == 400
        assert all(fault["field"] and fault["detail"] and fault["fix"] for fault in answer.errors)


@given(st.binary())
def test_any_bytes_are_an_order_or_a_refusal(body: bytes):
    answer = answer_to(body)

    assert isinstance(answer, OrderRequest) or answer.errors
