"""Prometheus is told how many events of each service and type were published and confirmed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from messaging.consuming import counts as of_workers
from messaging.errors import PublishError
from messaging.message import Message
from messaging.publishing import counts
from messaging.publishing.outbox import publish_pending
from messaging.publishing.publisher import Outgoing, Publisher
from runtime.metrics.counting import Counter

Counted = dict[tuple[str, ...], float]


class Broker(Publisher):
    """Confirms the first ones alone."""

    def __init__(self, confirms: int) -> None:
        super().__init__("amqp://nowhere")
        self._confirms = confirms

    def _publish_round(self, outgoing: Sequence[Outgoing]) -> None:
        if len(outgoing) > self._confirms:
            raise PublishError("RabbitMQ is down", {*range(self._confirms)})


@pytest.fixture(autouse=True)
def from_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    for counter in (counts.PUBLISHED, counts.CONFIRMED):
        monkeypatch.setattr(counter, "_counts", {})


def told(counter: Counter) -> Counted:
    return {
        (each.labels["service"], each.labels["type"]): each.value
        for each in counter.family().samples
    }


def outgoing(*types: str) -> list[Outgoing]:
    return [Outgoing(Message(b"{}", type=each, message_id=each), "", each) for each in types]


def test_events_of_an_outbox_are_counted_by_service_and_type() -> None:
    """By the relay and by the scheduler."""
    placed, shipped = "order.placed", "inventory.shipped"
    publish_pending(Broker(3), outgoing(placed, shipped, placed), lambda _: None)

    of_each = {("orders", placed): 2, ("inventory", shipped): 1}
    assert told(counts.PUBLISHED) == told(counts.CONFIRMED) == of_each


def test_what_is_not_confirmed_is_published_alone() -> None:
    with pytest.raises(PublishError):
        publish_pending(Broker(1), outgoing("order.placed", "order.placed"), lambda _: None)

    assert told(counts.PUBLISHED) == {("orders", "order.placed"): 2}
    assert told(counts.CONFIRMED) == {("orders", "order.placed"): 1}


def test_a_worker_counts_what_its_calls_led_to() -> None:
    """As Celery tells it of one message, and as a pool child does of a batch."""
    of_workers.led_to(of_workers.types_in("'inventory.reserved inventory.reserved'"))
    of_workers.led_to({"billing.invoiced": 3})
    for nothing in ("None", "''", "'of no service'"):
        of_workers.led_to(of_workers.types_in(nothing))

    of_each = {("inventory", "inventory.reserved"): 2, ("billing", "billing.invoiced"): 3}
    assert told(counts.PUBLISHED) == told(counts.CONFIRMED) == of_each
