"""What `GET /orders` is asked for becomes one query, or a refusal that names the parameter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from rest_framework.exceptions import NotFound

from orders.listing import cursor_after, id_at, query
from orders.requests.order_filters import OrderFilters, read
from runtime.requests.caller import Caller
from runtime.requests.refusal import Refusal

ORDER_ID = ObjectId("6743f0000000000000000001")
DAY, NEXT_DAY = datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)


SHOP = Caller("key:1", "a shop", frozenset({"orders:read"}))
CUSTOMER = Caller("token:1", "a customer", frozenset({"orders:read"}), user_id=101)


def conditions(caller: Caller = SHOP, **parameters: str) -> list[dict[str, Any]]:
    return query(read(parameters), caller).get("$and", [])


def test_nothing_asked_for_is_every_order_that_the_caller_may_see() -> None:
    assert query(read({}), SHOP) == {}
    assert query(read({}), CUSTOMER) == {"$and": [{"user_id": 101}]}
    assert read({}).limit == 50


def test_each_filter_is_a_condition() -> None:
    assert conditions(userId="101", status="confirmed") == [
        {"user_id": 101},
        {"status": "confirmed"},
    ]


def test_a_customer_finds_nobody_elses() -> None:
    assert conditions(CUSTOMER, userId="101") == [{"user_id": 101}]
    with pytest.raises(NotFound, match="user 102"):
        conditions(CUSTOMER, userId="102")


def test_a_date_is_its_whole_day_in_utc() -> None:
    begins, ends = conditions(createdFrom="2026-01-31", createdTo="2026-01-31")

    assert begins["created_at"] == {"$gte": DAY}
    assert ends["created_at"] == {"$lt": NEXT_DAY}


def test_a_time_is_its_millisecond_in_any_offset() -> None:
    one, same = (
        conditions(createdTo=text)[0]["created_at"]["$lt"]
        for text in ("2026-01-31T12:00:00.250Z", "2026-01-31T13:30:00.250+01:30")
    )

    assert one == same == datetime(2026, 1, 31, 12, 0, 0, 251_000, tzinfo=UTC)


def test_an_id_bounds_the_search_a_little_wider_than_the_time() -> None:
    begins, ends = conditions(createdFrom="2026-01-31", createdTo="2026-01-31")

    assert begins["_id"]["$gte"] == id_at(DAY - timedelta(seconds=1), 0)
    assert ends["_id"]["$lt"] == id_at(NEXT_DAY + timedelta(seconds=2), 0)


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "2106-02-08", "9999-12-30"])
def test_a_day_that_no_id_was_made_on_bounds_it_by_the_first_or_the_last(day: str) -> None:
    begins, _ = conditions(createdFrom=day, createdTo=day)

    assert begins["_id"]["$gte"] in (ObjectId(b"\0" * 12), ObjectId(b"\xff" * 4 + b"\0" * 8))


def test_a_page_goes_on_behind_its_cursor() -> None:
    assert conditions(cursor=cursor_after(ORDER_ID)) == [{"_id": {"$lt": ORDER_ID}}]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        *(("userId", value) for value in ("0", "-1", "1.5", "many", "", "9" * 30, '{"$gt": 0}')),
        *(("status", value) for value in ("open", "", "Placed", '{"$ne": ""}')),
        *(("createdFrom", value) for value in ("yesterday", "2026-02-30", "2026-01-31T12:00:00")),
        *(("createdTo", value) for value in ("", "9999-12-31T23:59:59.999999-23:59")),
        *(("limit", value) for value in ("0", "201", "all")),
        *(("cursor", value) for value in ("", "x", "!" * 16, "A" * 20)),
    ],
)
def test_what_makes_no_sense_is_named_with_what_to_send(parameter: str, value: str) -> None:
    with pytest.raises(Refusal) as refused:
        conditions(**{parameter: value})

    [fault] = refused.value.errors
    assert fault["field"] == parameter
    assert fault["fix"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"createdFrom": "yesterday", "createdTo": "today", "cursor": "x"},
        {"limit": "0", "createdTo": "today", "cursor": "x"},
        {"state": "placed", "status": "open", "createdFrom": "yesterday"},
    ],
    ids=" ".join,
)
def test_all_that_make_no_sense_are_named_at_once(wrong: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        read({"userId": "101", **wrong})

    assert sorted(each["field"] for each in refused.value.errors) == sorted(wrong)


def test_an_unknown_parameter_is_told_the_known_ones() -> None:
    with pytest.raises(Refusal) as refused:
        read({"state": "placed"})

    [fault] = refused.value.errors
    assert all(name in fault["fix"] for name in OrderFilters.__struct_encode_fields__)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("userId", "9007199254740993.0"),  # by way of a float it is another customer's
        ("userId", "101.0"),
        ("userId", "1e2"),
        ("limit", "5.0"),
        ("limit", "1E1"),
        ("limit", "٣"),
    ],
)
def test_a_whole_number_is_written_in_digits(name: str, value: str) -> None:
    with pytest.raises(Refusal) as refused:
        read({name: value})

    [fault] = refused.value.errors
    assert (fault["field"], fault["detail"]) == (name, "must be a whole number, not text")
