"""What follows from a declaration."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from msgspec import Struct

from messaging.service import (
    Event,
    On,
    Service,
    answering,
    events,
    exchange_of,
    heard,
    listeners,
    service_in,
    services,
)
from messaging.topology import bindings, carried_to, subscriptions


class Body(Struct):
    order_id: str


STATES = ("reserved", "rejected", "released")
STOCK = Service("stock", publishes=[Event(f"stock.{state}", Body) for state in STATES])


def test_a_state_stands_over_those_before_it() -> None:
    assert STOCK.states == ("pending", "reserved", "rejected", "released")


def test_an_event_is_ended_by_what_it_leads_to_and_by_whatever_comes_later() -> None:
    assert STOCK.ends(On("order.placed", leads_to=["reserved", "rejected"])) == set(STATES)
    assert STOCK.ends(On("order.cancelled", leads_to=["released"])) == {"released"}
    assert STOCK.ends(On("order.placed")) == set()


def bound(service: Service) -> list[tuple[str, str]]:
    return [(each.exchange.name, each.routing_key) for each in subscriptions(service)]


def test_a_queue_is_bound_where_its_types_are_published() -> None:
    assert [
        (each.exchange.name, each.routing_key) for each in subscriptions(services()["billing"])
    ] == [("order_events", "billing")]
    of_confirmed = Service("shipping", listens=[On("order.confirmed")])
    assert [(each.exchange.name, each.routing_key) for each in subscriptions(of_confirmed)] == [
        ("order_events.topic", "order.confirmed")
    ]


def test_the_ledgers_keeper_hears_every_answer() -> None:
    sources = {each.source.name for each in bindings() if each.destination.name == "orders"}

    assert sources == {f"{service.name}_events" for service in answering()} | {"by_name"}


def test_a_fanout_carries_types_that_a_service_does_not_listen_to() -> None:
    assert carried_to(services()["inventory"]) == {
        "order.placed",
        "order.rejected",
        "order.cancelled",
    }


def test_an_event_goes_where_its_service_declares_it() -> None:
    assert exchange_of("order.confirmed").name == "order_events.topic"
    assert exchange_of("order.placed").name == "order_events"
    assert exchange_of("billing.credited").name == "billing_events"


def test_nobody_has_to_get_what_no_service_listens_to() -> None:
    listened = {on.type for service in services().values() for on in heard(service)}

    assert "billing" in [service.name for service in listeners("order.rejected")]
    assert not any(listeners(type_) for type_ in events().keys() - listened)


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"publishes": [Body]}, 'publishes has Body. Write Event("shipping.<state>", Body)'),
        ({"listens": ["order.confirmed"]}, 'Write On("order.confirmed")'),
        (
            {"listens": [On("order.confirmed", leads_to="announced")]},
            'Write On("order.confirmed", leads_to=["announced"])',
        ),
        ({"listens": On("order.confirmed")}, 'Write listens=[On("order.placed")]'),
        (
            {"publishes": [Event("shipping.announced", "ShippingAnnounced")]},
            "the body of shipping.announced is 'ShippingAnnounced'. Write a subclass of Struct",
        ),
    ],
)
def test_a_declaration_of_wrong_types_says_what_to_write(
    declared: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module: Any = ModuleType("shipping.service")
    module.SERVICE = Service("shipping", **declared)
    monkeypatch.setitem(sys.modules, "shipping", ModuleType("shipping"))
    monkeypatch.setitem(sys.modules, "shipping.service", module)

    with pytest.raises(ImproperlyConfigured) as raised:
        service_in("shipping")

    assert words in str(raised.value)
