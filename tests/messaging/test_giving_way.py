"""Work that nobody waits for lets the backlogs of others go first."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings

from localservices.rabbitmq import RabbitMQ
from messaging.handling import giving_way
from messaging.handling.giving_way import GivingWay
from tests import broker
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("clean")

#: Longer than any of these waits may take.
VERY_LONG_SECONDS = 60


@pytest.fixture(autouse=True)
def small_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving_way, "BACKLOG_MESSAGES", 2)
    monkeypatch.setattr(giving_way, "LOOK_SECONDS", 0.05)


@pytest.fixture
def backlog(rabbitmq: RabbitMQ) -> Iterator[None]:
    """Three orders wait for billing; nobody works on them."""
    for _ in range(3):
        broker.publish(b"{}", exchange="by_name", routing_key="billing")
    yield
    broker.take_all("billing")


def seconds_of_a_wait(queues: tuple[str, ...]) -> float:
    started = time.monotonic()
    GivingWay(settings.AMQP_URL).wait(queues)
    return time.monotonic() - started


def test_it_waits_until_the_backlog_is_gone(backlog: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving_way, "LONGEST_SECONDS", VERY_LONG_SECONDS)
    ways = GivingWay(settings.AMQP_URL)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ways.wait, ("inventory", "billing"))
        eventually(lambda: ways._connection is not None)
        assert not waiting.done()
        broker.take_all("billing")
        waiting.result(timeout=10)


def test_it_is_late_and_never_stopped(backlog: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving_way, "LONGEST_SECONDS", 0.3)

    assert 0.3 <= seconds_of_a_wait(("billing",)) < VERY_LONG_SECONDS


def test_it_waits_for_no_other_queue(backlog: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving_way, "LONGEST_SECONDS", VERY_LONG_SECONDS)

    assert seconds_of_a_wait(("inventory",)) < VERY_LONG_SECONDS


def test_it_waits_for_nobody_while_rabbitmq_is_away(
    rabbitmq: RabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving_way, "LONGEST_SECONDS", VERY_LONG_SECONDS)
    rabbitmq.kill()
    try:
        assert seconds_of_a_wait(("billing",)) < VERY_LONG_SECONDS
    finally:
        rabbitmq.start()
