"""Webhooks knows of each order which events it has noted, however they come."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from messaging import message
from tests.webhooks.events import ORDER_ID
from webhooks import noting, tasks
from webhooks.noting import noted
from webhooks.recorded import bodies
from webhooks.service import SERVICE
from webhooks.store import noted_orders

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the service runs."""
    bodies = {event.body: event for event in SERVICE.publishes}
    monkeypatch.setattr(message, "events_by_body", lambda: bodies)


OTHER_ID = "674300000000000000000002"
EVENT = {"orderId": ORDER_ID, "userId": 101}


@pytest.mark.parametrize(
    "types",
    [["order.placed", "order.confirmed"], ["order.confirmed", "order.placed"]],
    ids=" ".join,
)
def test_each_type_is_noted_once(types: list[str]) -> None:
    for type_ in [*types, types[0]]:
        tasks.note(type_, EVENT)

    (record,) = noted_orders().find()
    assert sorted(record["types"]) == sorted(types)
    assert noted("order.confirmed", [ORDER_ID]) == {ORDER_ID}
    assert noted("order.cancelled", [ORDER_ID]) == set()


def test_only_the_first_event_of_an_order_is_answered() -> None:
    assert [each.type for each in tasks.note("order.placed", EVENT)] == ["webhooks.noted"]
    assert tasks.note("order.confirmed", EVENT) == []
    assert tasks.note_many("billing.invoiced", [EVENT, {"orderId": 7}]) == [[], None]


def test_only_orders_that_were_heard_of_before_cost_a_second_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[list[str]] = []
    add = noting._add_type

    def counted(type_: str, order_ids: Collection[str]) -> int:
        asked.append([*order_ids])
        return add(type_, order_ids)

    monkeypatch.setattr(noting, "_add_type", counted)
    tasks.note("order.placed", EVENT)
    assert asked == []

    tasks.note_many("order.placed", [EVENT, {**EVENT, "orderId": OTHER_ID}])

    assert asked == [[ORDER_ID]]
    assert noted("order.placed", [ORDER_ID, OTHER_ID]) == {ORDER_ID, OTHER_ID}


def test_what_an_earlier_release_has_noted_is_order_placed() -> None:
    noted_orders().insert_one({"_id": ORDER_ID, "user_id": 101, "types": None})
    assert {*bodies("webhooks.noted", [ORDER_ID])} == {ORDER_ID}

    tasks.note("order.cancelled", EVENT)

    assert noted("order.placed", [ORDER_ID]) == {ORDER_ID}
    assert noted("order.cancelled", [ORDER_ID]) == {ORDER_ID}


def test_an_order_whose_first_event_was_lost_is_not_recorded_as_answered() -> None:
    tasks.note("order.confirmed", EVENT)

    assert bodies("webhooks.noted", [ORDER_ID]) == {}
