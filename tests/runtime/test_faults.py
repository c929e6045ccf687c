"""All that is wrong in a body is told at once, each with its field, its JSON pointer and a fix."""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, Meta, Struct, UnsetType

from runtime.requests.faults import MOST_FAULTS, wrong
from runtime.requests.json_body import JsonBody
from runtime.requests.refusal import Refusal


class Line(Struct, forbid_unknown_fields=True):
    sku: Annotated[str, Meta(min_length=1)]
    quantity: Annotated[int, Meta(ge=1)]


class Order(Struct, forbid_unknown_fields=True, rename="camel"):
    user_id: Annotated[int, Meta(ge=1)]
    items: Annotated[list[str | Line], Meta(min_length=1, max_length=5)]
    note: str | UnsetType | None = UNSET
    extra: dict[str, Any] = {}


BODY = JsonBody(
    Order,
    "Nothing was placed",
    {"body": "Send an order.", "items[]": "Send an item.", "sku": "Send a SKU.", "total": "No."},
)


def refusal_of(body: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        BODY.decode(body if isinstance(body, bytes) else json.dumps(body).encode())
    return refused.value


def pointers(body: Any) -> list[str | None]:
    return [each.get("pointer") for each in refusal_of(body).errors]


def test_every_wrong_field_is_told_with_its_pointer() -> None:
    order = {
        "userId": "5",
        "items": ["pen", {"sku": "", "quantity": 0}, 7, {"qty": 1}],
        "total": "0.01",
        "note": 5,
    }

    found = {each["field"]: (each["pointer"], each["fix"]) for each in refusal_of(order).errors}

    assert found == {
        "total": ("#/total", "Remove it. No."),
        "userId": ("#/userId", "Send an order."),
        "items[1].sku": ("#/items/1/sku", "Send a SKU."),
        "items[1].quantity": ("#/items/1/quantity", "Send an order."),
        "items[2]": ("#/items/2", "Send an item."),
        "items[3].qty": ("#/items/3/qty", "Remove it. Send an item."),
        "items[3].sku": ("#/items/3/sku", "Send a SKU."),
        "items[3].quantity": ("#/items/3/quantity", "Send an order."),
        "note": ("#/note", "Send an order."),
    }


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ([], ["#"]),
        ({}, ["#/userId", "#/items"]),
        ({"userId": 1, "items": []}, ["#/items"]),
        ({"userId": 1, "items": [1] * 6}, ["#/items"]),
        ({"userId": 1, "items": {}}, ["#/items"]),
        ({"userId": 1, "items": ["a"], "a/b~c d": 1}, ["#/a~1b~0c%20d"]),
        ({"userId": 1, "items": ["a"], "": 1}, ["#/"]),
        (b'{"userId": 1' + b"0" * 5000 + b', "items": []}', ["#/userId"]),
    ],
)
def test_a_pointer_leads_to_what_is_wrong(body: Any, found: list[str]) -> None:
    assert pointers(body) == found


def test_the_text_tells_the_first_and_how_many_more() -> None:
    refusal = refusal_of({f"x{number}": 1 for number in range(2 * MOST_FAULTS)})

    assert len(refusal.errors) == MOST_FAULTS
    assert str(refusal.detail).endswith("And 97 more.")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"userId": 1, "userId": 1, "items": ["pen"]}', ["#/userId"]),
        (b'{"userId": 1, "items": ["a"], "items": ["b"]}', ["#/items"]),
        (b'{"userId": 1, "user\\u0049d": 1, "items": ["pen"]}', ["#/userId"]),
        (b'{"userId":1,"userId":2,"items":["\\u0022\\u0022"]}', ["#/userId"]),
        (
            b'{"userId": 1, "items": ["a", {"sku": "b", "quantity": 1, "sku": "c"}]}',
            ["#/items/1/sku"],
        ),
        (b'{"userId": 1, "items": ["a"], "extra": {"x": {"y": 1, "y": 2}}}', ["#/extra/x/y"]),
        (b'{"userId": 0, "userId": 1, "userId": 2, "items": 5}', ["#/userId", "#/items"]),
    ],
)
def test_a_name_that_is_there_twice_is_refused(body: bytes, found: list[str]) -> None:
    refusal = refusal_of(body)

    assert refusal.status_code == 400
    assert [each["pointer"] for each in refusal.errors] == found
    assert "twice" in refusal.errors[0]["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"userId": 1, "items": ["a", "a", "\\"", "\\u0022"], "note": null}',
        b'{"userId": 1, "items": [{"sku": "userId", "quantity": 1}, {"sku": "b", "quantity": 1}]}',
        b'{"userId": 1, "items": ["a"], "extra": {"userId": 1' + b"0" * 300 + b', "y": [{}, {}]}}',
    ],
)
def test_what_is_there_once_in_each_object_is_taken(body: bytes) -> None:
    assert BODY.decode(body).user_id == 1


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=7) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
lines = st.fixed_dictionaries({"sku": values | st.text(), "quantity": values | st.integers()})
orders = st.fixed_dictionaries(
    {"userId": values | st.integers(1, 9), "items": st.lists(values | st.text() | lines)},
    optional={"note": values, "extra": values, "x": values},
)


@settings(max_examples=40)
@given(orders | values)
def test_what_msgspec_takes_and_nothing_else_has_no_fault(value: Any) -> None:
    try:
        msgspec.convert(value, Order)
        is_taken = True
    except msgspec.ValidationError:
        is_taken = False

    assert (not list(wrong(value, Order, strict=True))) == is_taken
