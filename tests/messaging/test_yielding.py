"""Where a deployment asks for it, work that nobody waits for lets backlogs of others go first."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings

from localservices.rabbitmq import RabbitMQ
from messaging.handling import yielding
from messaging.handling.call import BatchCall
from messaging.handling.handlers import HANDLERS
from messaging.handling.middlewares import around_a_batch
from messaging.handling.yielding import Yielding
from tests import broker
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("clean")

#: Longer than any of these waits may take.
VERY_LONG_SECONDS = 60


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yielding, "CHECK_SECONDS", 0.05)


@pytest.fixture
def backlog() -> Iterator[None]:
    """Three orders wait for billing; nobody works on them."""
    for _ in range(3):
        broker.publish(b"{}", exchange="by_name", routing_key="billing")
    yield
    broker.take_all("billing")


def seconds_of_a_wait(queues: tuple[str, ...]) -> float:
    started = time.monotonic()
    Yielding(settings.AMQP_URL, backlog_messages=2).wait(queues)
    return time.monotonic() - started


def test_it_waits_until_the_backlog_is_gone(backlog: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yielding, "LONGEST_SECONDS", VERY_LONG_SECONDS)
    ways = Yielding(settings.AMQP_URL, backlog_messages=2)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ways.wait, ("inventory", "billing"))
        eventually(lambda: ways._states._connection is not None)
        assert not waiting.done()
        broker.take_all("billing")
        waiting.result(timeout=10)


def test_it_is_late_and_never_stopped(backlog: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yielding, "LONGEST_SECONDS", 0.3)

    assert 0.3 <= seconds_of_a_wait(("billing",)) < VERY_LONG_SECONDS


def test_it_waits_for_no_other_queue(backlog: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yielding, "LONGEST_SECONDS", VERY_LONG_SECONDS)

    assert seconds_of_a_wait(("inventory",)) < VERY_LONG_SECONDS


def test_it_waits_for_nobody_while_rabbitmq_is_down(
    rabbitmq: RabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yielding, "LONGEST_SECONDS", VERY_LONG_SECONDS)
    rabbitmq.kill()
    try:
        assert seconds_of_a_wait(("billing",)) < VERY_LONG_SECONDS
    finally:
        rabbitmq.start()


def test_only_batches_of_statuses_yield(monkeypatch: pytest.MonkeyPatch) -> None:
    waited_for: list[list[str]] = []

    class Noting:
        wait = staticmethod(waited_for.append)

    monkeypatch.setattr(yielding, "yielding", Noting)

    def handle(service: str, type_: str, count: int) -> None:
        call = BatchCall(
            service=service,
            type=type_,
            handler=HANDLERS[service, type_],
            raw=[],
            publishers=[],
            bodies=[{}] * count,
        )
        yielding.yield_to_backlogs(call, list)

    handle("billing", "order.placed", 2)
    handle("orders", "billing.invoiced", 1)
    assert waited_for == []
    handle("orders", "billing.invoiced", 2)
    assert waited_for == [["inventory", "billing"]]


def test_nothing_yields_unless_it_is_asked_for() -> None:
    assert yielding.yield_to_backlogs not in around_a_batch()
