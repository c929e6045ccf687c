"""Whoever looks at the outboxes looks at all that services declare."""

from __future__ import annotations

import pytest
from msgspec import Struct

from messaging import outboxes
from messaging.outboxes import Outbox
from messaging.service import Event, On, Service, services
from messaging.unasked_events import keeper, kept
from ordersite.pipeline.scheduler import JOBS


class Sent(Struct):
    pass


class Returned(Struct):
    pass


def test_the_relay_and_the_scheduler_publish_what_is_declared() -> None:
    assert outboxes.outboxes() == (
        Outbox("orders", "relay", "orders.outbox.store"),
        Outbox("inventory", "scheduler", "inventory.shipping"),
    )


def test_a_module_that_keeps_several_events_is_one_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    shipping = Service(
        "shipping",
        listens=[On("order.placed", leads_to=["sent"])],
        publishes=[
            Event("shipping.sent", Sent, kept_by="shipping.parcels"),
            Event("shipping.returned", Returned, kept_by="shipping.parcels"),
        ],
    )
    monkeypatch.setattr(outboxes, "services", lambda: {"shipping": shipping})

    assert outboxes.outboxes() == (Outbox("shipping", "scheduler", "shipping.parcels"),)


def test_the_scheduler_runs_a_job_for_each_event_that_is_kept() -> None:
    wanted = [keeper(event).publish_waiting for each in services().values() for event in kept(each)]

    assert wanted
    assert {each.run for each in JOBS} >= set(wanted)
