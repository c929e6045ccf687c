"""What an order awaits of services that hear of it later, of each other, or only note events."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from bson import ObjectId
from msgspec import Struct

from messaging import service as declarations
from messaging.order_id import object_id
from messaging.service import Event, On, Service, services
from messaging.trust import records
from orders import owed, unanswered
from orders.collection import orders
from orders.events_again import message_again, recorded_by_another
from ordersite.pipeline import awaited_notes
from ordersite.pipeline.awaited_notes import AwaitedNotes
from tests.orders.test_ledger import hear, placed, seen

pytestmark = pytest.mark.usefixtures("clean")


class Picked(Struct):
    pass


SHIPPING = Service(
    "shipping",
    listens=[
        On("inventory.reserved", leads_to=["picked"]),
        On("order.rejected", leads_to=["picked"]),
        On("order.confirmed", leads_to=["picked"]),
        On("order.cancelled", leads_to=["picked"]),
    ],
    publishes=[Event("shipping.picked", Picked)],
)
LOG = Service(
    "log",
    listens=[On("order.confirmed"), On("billing.invoiced")],
    notes="tests.orders.test_awaited_events",
)
#: By type of event, what `LOG` has noted.
IN_THE_LOG: dict[str, set[str]] = {}


def noted(type_: str, order_ids: Collection[str]) -> set[str]:
    return IN_THE_LOG.get(type_, set()) & {*order_ids}


@pytest.fixture(autouse=True)
def two_more(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two services more, where orders and the scheduler look for them."""
    everything = {**services(), "shipping": SHIPPING, "log": LOG}
    answering = tuple(each for each in everything.values() if each.answers)
    for module in (owed, unanswered, awaited_notes):
        monkeypatch.setattr(module, "answering", lambda: answering)
    assert declarations.awaited_of(LOG) == tuple(LOG.listens)
    forget()
    IN_THE_LOG.clear()
    yield
    forget()


def forget() -> None:
    for each in (owed.waits, owed.keys_of, owed.ledger_at_first, owed.ended_by):
        each.cache_clear()


def awaited(order_id: str, of: Service) -> set[str]:
    return {each for each in seen(order_id).get("awaited", ()) if each.startswith(of.name)}


def test_an_order_awaits_the_answer_to_another_services_event() -> None:
    order_id = placed()
    assert awaited(order_id, SHIPPING) == set()

    order = hear(order_id, "reserved")

    assert awaited(order_id, SHIPPING) == {"shipping inventory.reserved"}
    assert order["ledger"]["shipping"]["state"] == "pending"
    assert order["awaited_since"] == order["updated_at"]


@pytest.mark.parametrize(
    "outcomes", [["reserved", "invoiced"], ["rejected"], ["cancelled"]], ids=" ".join
)
def test_a_service_is_in_the_ledger_by_whichever_event_it_hears_first(outcomes: list[str]) -> None:
    assert hear(placed(), *outcomes)["ledger"]["shipping"]["state"] == "pending"


def test_another_services_event_is_sent_again_as_it_was_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order_id = placed()
    order = hear(order_id, "reserved")
    body = services()["inventory"].publishes[0].body
    stored = body(order_id=order_id, user_id=101, items=[])
    monkeypatch.setattr(records, "bodies", lambda type_, ids: {order_id: stored})

    recorded = recorded_by_another("inventory.reserved", [order_id])
    again = message_again(order, "inventory.reserved", recorded)

    assert again.type == "inventory.reserved"
    assert again.message_id == f"inventory.reserved:{order_id}"
    assert again.timestamp == order["steps"][0]["at"]


def test_an_order_awaits_that_an_event_is_noted_and_learns_it() -> None:
    order_id = placed()
    hear(order_id, "reserved", "invoiced")
    assert awaited(order_id, LOG) == {"log order.confirmed", "log billing.invoiced"}
    since = seen(order_id)["awaited_since"]
    events = AwaitedNotes()

    assert events.take_out() == 0, "nothing is noted yet"
    IN_THE_LOG["order.confirmed"] = {order_id}
    assert events.take_out() == 1

    assert awaited(order_id, LOG) == {"log billing.invoiced"}
    assert seen(order_id)["awaited_since"] == since, "what is left waits as long"


def test_what_is_lost_is_overdue_as_any_other_event() -> None:
    order_id = placed()
    hear(order_id, "reserved", "invoiced")
    long_ago = datetime.now(UTC) - timedelta(days=1)
    orders().update_one(
        {"_id": object_id(order_id)},
        {
            "$set": {"awaited_since": long_ago, "pending_events": []},
            "$unset": {"pending_since": ""},
        },
    )

    assert [*unanswered.overdue(LOG, "order.confirmed", 60)] == [order_id]


def test_many_that_wait_for_long_hide_no_noted_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awaited_notes, "ORDERS_AT_ONCE", 2)
    monkeypatch.setattr(awaited_notes, "MOST_ORDERS", 4)
    now = datetime(2026, 12, 1, tzinfo=UTC)
    documents = [
        {
            "_id": ObjectId(),
            "awaited": ["log order.confirmed"],
            "awaited_since": now + timedelta(seconds=second),
        }
        for second in range(7)
    ]
    orders().insert_many(documents)
    IN_THE_LOG["order.confirmed"] = {str(documents[-1]["_id"])}
    events = AwaitedNotes()

    assert sum(events.take_out() for _ in range(4)) == 1
