"""Whoever looks at the outboxes looks at all that services declare."""

from __future__ import annotations

import pytest
from msgspec import Struct

from inventory import shipping
from messaging import outboxes
from messaging.outboxes import Outbox
from messaging.service import Event, On, Service
from ordersite.pipeline.scheduler import JOBS, publishing_jobs

KEEPER = "inventory.shipping"


class Sent(Struct):
    pass


class Returned(Struct):
    pass


def of_two_events(module: str) -> Service:
    return Service(
        "shipping",
        listens=[On("order.placed", leads_to=["sent"])],
        publishes=[
            Event("shipping.sent", Sent, kept_by=module),
            Event("shipping.returned", Returned, kept_by=module),
        ],
    )


def test_the_relay_and_the_scheduler_publish_what_is_declared() -> None:
    assert outboxes.outboxes() == (
        Outbox("orders", "relay", "orders.outbox.store"),
        Outbox("inventory", "scheduler", "inventory.shipping"),
    )


def test_a_module_that_keeps_several_events_is_one_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        outboxes, "services", lambda: {"shipping": of_two_events("shipping.parcels")}
    )

    assert outboxes.outboxes() == (Outbox("shipping", "scheduler", "shipping.parcels"),)


def test_the_scheduler_runs_a_job_for_each_of_its_outboxes() -> None:
    assert {each.run for each in JOBS} >= {shipping.publish_waiting}


def test_a_module_that_keeps_several_events_publishes_in_one_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two at once would publish each message twice."""
    monkeypatch.setattr(outboxes, "services", lambda: {"shipping": of_two_events(KEEPER)})

    [job] = publishing_jobs()

    assert job.run == shipping.publish_waiting
    assert job.purpose == "publishes the events of shipping that wait in inventory.shipping"
