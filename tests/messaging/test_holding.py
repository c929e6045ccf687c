"""No message waits for long in a worker whose handlers are slow."""

from __future__ import annotations

import itertools
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker.request import Request
from kombu.asynchronous.semaphore import LaxBoundedSemaphore

from messaging.adapters.kombu import waiting_calls
from messaging.consuming import holding
from messaging.consuming.acks import Acks
from messaging.consuming.batching import Batch, BatchStrategy
from messaging.consuming.holding import HOLDING_CHECK_SECONDS, LONGEST_SECONDS, Holding
from messaging.consuming.prefetch import FEW_A_CHILD

USUAL = 1_600
CHILDREN = 2


class Clock:
    """Time that passes when a test says so."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


class Delivered:
    """A message as the worker has it."""

    def __init__(self, delivery_tag: int, channel: object) -> None:
        self.delivery_tag = delivery_tag
        self.channel = channel
        self.acknowledged = False
        self.is_returned = False

    def reject(self, *, requeue: bool) -> None:
        assert requeue
        assert not self.acknowledged
        self.acknowledged = self.is_returned = True


class Worker:
    """What a Celery worker has that consumes, as far as `Holding` knows it."""

    def __init__(self) -> None:
        self.channel = object()
        self.tags = itertools.count(1)
        self.acks = Acks(self.channel)
        self.pool = self.controller = self
        self.num_processes = CHILDREN
        self.semaphore = LaxBoundedSemaphore(CHILDREN)
        strategy = BatchStrategy.__new__(BatchStrategy)
        strategy._waiting = deque()
        self.strategies: dict[str, Any] = {"billing.order.placed": strategy, "other": None}
        self.task_consumer = self
        self.prefetch_count = USUAL
        self.is_consuming = True
        self.one_by_one = SimpleNamespace(is_on=False)

    def call_soon(self, function: Any, *arguments: Any) -> None:
        function(*arguments)

    def cancel(self) -> None:
        self.is_consuming = False

    def qos(self, *, prefetch_count: int) -> None:
        assert not self.is_consuming
        self.prefetch_count = prefetch_count

    def consume(self) -> None:
        self.is_consuming = True

    def deliver(self, count: int) -> list[Any]:
        messages = [Delivered(next(self.tags), self.channel) for _ in range(count)]
        for message in messages:
            self.acks.delivered(message)
        return messages

    def run_alone(self, messages: list[Any]) -> None:
        for message in messages:
            request = Request.__new__(Request)
            request._message = message
            self.semaphore.acquire(lambda _: None, request)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(holding, "time", clock)
    return clock


def checks(held: Holding, clock: Clock, seconds: float) -> None:
    for _ in range(round(seconds / HOLDING_CHECK_SECONDS)):
        clock.now += HOLDING_CHECK_SECONDS
        held.check()


def test_while_messages_come_one_by_one_nothing_else_decides_how_many_are_taken(
    clock: Clock,
) -> None:
    worker = Worker()
    worker.one_by_one.is_on = True
    held = Holding(worker, USUAL)
    worker.run_alone(worker.deliver(10))

    checks(held, clock, 3 * LONGEST_SECONDS)

    assert worker.prefetch_count == USUAL


def test_what_waits_for_too_long_goes_back_and_few_are_taken(clock: Clock) -> None:
    worker = Worker()
    held = Holding(worker, USUAL)
    begun, queued, gathered = worker.deliver(2), worker.deliver(300), worker.deliver(400)
    worker.run_alone(begun)
    worker.run_alone(queued)
    worker.strategies["billing.order.placed"]._waiting.extend(gathered)

    checks(held, clock, LONGEST_SECONDS)
    assert not any(each.is_returned for each in [*begun, *queued, *gathered])

    checks(held, clock, HOLDING_CHECK_SECONDS)
    assert all(each.is_returned for each in [*queued, *gathered])
    assert not any(each.is_returned for each in begun)
    assert worker.prefetch_count == FEW_A_CHILD * CHILDREN
    assert worker.is_consuming
    assert not list(waiting_calls(worker.semaphore))


def test_a_batch_that_waits_for_a_child_goes_back_whole(clock: Clock) -> None:
    worker = Worker()
    held = Holding(worker, USUAL)
    batch = worker.deliver(100)
    worker.run_alone(worker.deliver(CHILDREN))
    strategy = worker.strategies["billing.order.placed"]
    worker.semaphore.acquire(lambda _: None, Batch(strategy, batch, 1))

    checks(held, clock, LONGEST_SECONDS + 2 * HOLDING_CHECK_SECONDS)

    assert all(each.is_returned for each in batch)


def test_what_comes_and_goes_never_goes_back(clock: Clock) -> None:
    worker = Worker()
    held = Holding(worker, USUAL)
    gathered = worker.strategies["billing.order.placed"]._waiting
    for _ in range(60):
        for message in gathered:
            message.acknowledged = True
        gathered.clear()
        gathered.extend(worker.deliver(500))
        checks(held, clock, HOLDING_CHECK_SECONDS)

    assert not any(each.is_returned for each in gathered)
    assert worker.prefetch_count == USUAL


def test_as_many_as_usual_are_taken_once_they_would_not_wait_for_long(clock: Clock) -> None:
    worker = Worker()
    held = Holding(worker, USUAL)
    worker.run_alone(worker.deliver(USUAL))
    checks(held, clock, LONGEST_SECONDS + HOLDING_CHECK_SECONDS)
    assert worker.prefetch_count == FEW_A_CHILD * CHILDREN

    # As fast as before.
    for message in worker.deliver(4):
        message.acknowledged = True
    checks(held, clock, HOLDING_CHECK_SECONDS)
    assert worker.prefetch_count == FEW_A_CHILD * CHILDREN

    for message in worker.deliver(200):
        message.acknowledged = True
    checks(held, clock, HOLDING_CHECK_SECONDS)
    assert worker.prefetch_count == USUAL


def test_more_are_taken_as_the_pace_allows_and_go_back_where_it_does_not(clock: Clock) -> None:
    """Few at a time make a worker slow that is fast with many in one batch."""
    worker = Worker()
    held = Holding(worker, USUAL)
    worker.run_alone(worker.deliver(USUAL))
    checks(held, clock, LONGEST_SECONDS + HOLDING_CHECK_SECONDS)

    # Too slow for as many as usual.
    for _ in range(2):
        for message in worker.deliver(100):
            message.acknowledged = True
        checks(held, clock, HOLDING_CHECK_SECONDS)
        assert worker.prefetch_count == 600

    slow = worker.deliver(600)
    worker.run_alone(slow)
    checks(held, clock, LONGEST_SECONDS + HOLDING_CHECK_SECONDS)
    assert all(each.is_returned for each in slow)
    assert worker.prefetch_count == FEW_A_CHILD * CHILDREN


def test_messages_of_a_lost_connection_are_left_to_their_redelivery(clock: Clock) -> None:
    worker = Worker()
    held = Holding(worker, USUAL)
    lost = [Delivered(number, object()) for number in range(1, 9)]
    worker.run_alone(lost)
    worker.strategies["billing.order.placed"]._waiting.extend(lost)

    checks(held, clock, 3 * LONGEST_SECONDS)

    assert not any(each.is_returned for each in lost)
    assert worker.prefetch_count == USUAL
