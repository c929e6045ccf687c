"""How many workers share a queue, in memory and without a clock."""

from __future__ import annotations

import pytest

from messaging.handling import worker_count
from messaging.handling.worker_count import CHECK_SECONDS, Sharing
from messaging.queue_state import QueueState


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


class States:
    """What RabbitMQ answers; None while it is down."""

    consumers: int | None = 1
    asked = 0

    def of(self, queue: str) -> QueueState | None:
        assert queue == "billing"
        self.asked += 1
        if self.consumers is None:
            raise ConnectionRefusedError
        return QueueState(0, self.consumers)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(worker_count, "time", clock)
    return clock


def test_it_is_asked_for_now_and_then(clock: Clock) -> None:
    states = States()
    each = Sharing("billing", states)  # type: ignore[arg-type]

    assert [each.workers() for _ in range(3)] == [1, 1, 1]
    states.consumers = 4
    assert each.workers() == 1
    assert states.asked == 1
    clock.now += CHECK_SECONDS
    assert each.workers() == 4


@pytest.mark.parametrize("answer", [None, 0])
def test_there_is_one_at_least(clock: Clock, answer: int | None) -> None:
    states = States()
    states.consumers = answer

    assert Sharing("billing", states).workers() == 1  # type: ignore[arg-type]


def test_while_rabbitmq_is_down_the_last_number_counts(clock: Clock) -> None:
    states = States()
    states.consumers = 3
    each = Sharing("billing", states)  # type: ignore[arg-type]
    each.workers()
    states.consumers = None
    clock.now += CHECK_SECONDS

    assert each.workers() == 3
