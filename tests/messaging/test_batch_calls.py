"""When a batch is called and what shares it, by a clock that tests move."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from messaging.adapters import celery
from messaging.consuming.acks import Acks
from messaging.consuming.batching import (
    BATCH_BYTES,
    BATCH_MESSAGES,
    MOST_SHARING,
    PATIENCE_SECONDS,
    Batch,
    BatchStrategy,
    Outcome,
    has_a_history,
)
from runtime import batch_interval
from runtime.batch_interval import FEW, INTERVAL_SECONDS

MOMENT_SECONDS = 0.001


class Delivered:
    """A message as the worker has it."""

    def __init__(self, delivery_tag: int, channel: Any, body: bytes = b"{}") -> None:
        self.delivery_tag = delivery_tag
        self.channel = channel
        self.body = body
        self.properties = {"timestamp": 1_795_900_000}
        self.acknowledged = False

    def ack(self) -> None:
        self.acknowledged = True


class Channel:
    """Notes what is acked over it."""

    def __init__(self) -> None:
        self.acked_up_to = 0

    def basic_ack(self, delivery_tag: int, multiple: bool) -> None:
        assert multiple
        self.acked_up_to = delivery_tag


class Worker:
    """What a batch strategy knows of Celery's worker: its timer, its loop, its calls."""

    connection_errors = (OSError,)

    def __init__(self) -> None:
        self.now = 0.0
        self.tags = itertools.count(1)
        self.timer = self
        self._later: list[tuple[float, int, Callable[..., Any], tuple[Any, ...]]] = []
        self._soon: deque[Callable[..., Any]] = deque()
        self.channel = Channel()
        self.acks = Acks(self.channel)
        #: The batches, and the messages that have a call of their own, as they were begun.
        self.begun: list[Any] = []
        self.begun_at: list[float] = []
        self.settling: dict[Any, Callable[[], Any]] = {}
        self.strategy = BatchStrategy(SimpleNamespace(name="billing.order.placed"), None, self)

    def monotonic(self) -> float:
        return self.now

    def call_after(self, seconds: float, function: Any, arguments: tuple[Any, ...] = ()) -> None:
        heapq.heappush(self._later, (self.now + seconds, next(self.tags), function, arguments))

    def call_soon(self, function: Callable[..., Any]) -> None:
        self._soon.append(function)

    def on_task_request(self, call: Any) -> None:
        self.begun.append(call)
        self.begun_at.append(self.now)

    def run_alone(self, message: Any) -> None:
        self.strategy(message, None, message.ack, None, [])

    def alone(self, message: Any, _: Any, ack: Callable[[], Any], *__: Any) -> None:
        self.on_task_request(message)
        self.settling[message] = ack

    def deliver(self, count: int, body: bytes = b"{}") -> list[Delivered]:
        messages = [Delivered(next(self.tags), self.channel, body) for _ in range(count)]
        for message in messages:
            self.acks.delivered(message)
            self.strategy.gather(message)
        return messages

    def pass_time(self, seconds: float = MOMENT_SECONDS) -> None:
        until = self.now + seconds
        while self._soon or (self._later and self._later[0][0] <= until):
            if self._soon:
                self._soon.popleft()()
                continue
            self.now, _, function, arguments = heapq.heappop(self._later)
            function(*arguments)
        self.now = until

    def end(self, call: Any, refused: tuple[int, ...] = (), workers: int = 1) -> None:
        if isinstance(call, Batch):
            self.strategy._done(call, Outcome(list(refused), 0.1, workers, {}))
        else:
            self.settling.pop(call)()


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    worker: Worker
    monkeypatch.setattr(celery, "single_strategy", lambda *_: lambda *call: worker.alone(*call))
    worker = Worker()
    monkeypatch.setattr(batch_interval, "time", worker)
    return worker


def test_on_an_idle_system_a_message_waits_for_nobody(worker: Worker) -> None:
    [message] = worker.deliver(1)
    worker.pass_time()

    assert worker.begun == [message]


def test_what_comes_while_a_call_runs_shares_the_next(worker: Worker) -> None:
    [first] = worker.deliver(1)
    worker.pass_time()
    others = [*worker.deliver(2), *worker.deliver(3)]
    worker.pass_time(INTERVAL_SECONDS)
    assert worker.begun == [first]

    worker.end(first)
    worker.pass_time()

    assert [each.messages for each in worker.begun[1:]] == [others]


def test_calls_follow_each_other_at_intervals(worker: Worker) -> None:
    """Given messages that come one by one, then they share calls, however fast each call is."""
    for _ in range(1_000):
        ended = len(worker.begun)
        worker.deliver(1)
        worker.pass_time()
        for call in worker.begun[ended:]:
            worker.end(call)

    waits = [later - begun for begun, later in itertools.pairwise(worker.begun_at)]
    # A few wait for nobody.
    assert waits[: FEW - 1] == pytest.approx([MOMENT_SECONDS] * (FEW - 1))
    assert waits[FEW - 1 :] == pytest.approx([INTERVAL_SECONDS] * 9, abs=2 * MOMENT_SECONDS)


def test_a_whole_batch_waits_for_no_interval(worker: Worker) -> None:
    worker.deliver(2 * BATCH_MESSAGES)
    worker.pass_time()
    worker.end(worker.begun[0])
    worker.pass_time()

    assert [len(each.messages) for each in worker.begun] == [BATCH_MESSAGES] * 2


def test_a_batch_is_no_larger_than_its_bytes_unless_it_is_one_message(worker: Worker) -> None:
    worker.deliver(5, b"x" * (BATCH_BYTES // 2))
    worker.deliver(1, b"x" * 2 * BATCH_BYTES)
    for _ in range(4):
        worker.pass_time(INTERVAL_SECONDS)
        worker.end(worker.begun[-1])

    sizes = [len(each.messages) if isinstance(each, Batch) else 1 for each in worker.begun]
    assert sizes == [2, 2, 1, 1]


def test_a_call_that_hangs_holds_up_the_others_for_a_second_only(worker: Worker) -> None:
    worker.deliver(2)
    worker.pass_time()
    later = worker.deliver(2)
    worker.pass_time(PATIENCE_SECONDS - 2 * MOMENT_SECONDS)
    assert len(worker.begun) == 1

    worker.pass_time(2 * MOMENT_SECONDS)
    assert worker.begun[1].messages == later

    # Its end is old news, and starts nothing beside the call that runs.
    worker.deliver(2)
    worker.end(worker.begun[0])
    worker.pass_time(INTERVAL_SECONDS)
    assert len(worker.begun) == 2


def test_a_batch_is_acked_but_for_what_it_refused_which_runs_alone(worker: Worker) -> None:
    messages = worker.deliver(4)
    worker.pass_time()
    worker.end(worker.begun[0], refused=(2,))

    assert worker.begun[1:] == [messages[2]]
    assert worker.channel.acked_up_to == messages[1].delivery_tag
    assert [each.acknowledged for each in messages[2:]] == [False, True]


def test_each_of_a_batch_that_failed_runs_alone(worker: Worker) -> None:
    messages = worker.deliver(3)
    worker.pass_time()
    worker.strategy._failed(worker.begun[0], SimpleNamespace(exception=OSError("lost")))

    assert worker.begun[1:] == messages
    assert not any(each.acknowledged for each in messages)


def test_what_a_lost_connection_took_along_is_left_to_its_redelivery(worker: Worker) -> None:
    worker.deliver(2)
    worker.pass_time()
    waiting = worker.deliver(2)
    worker.acks = Acks(Channel())

    worker.strategy._failed(worker.begun[0], SimpleNamespace(exception=OSError("lost")))
    worker.pass_time(INTERVAL_SECONDS)

    assert len(worker.begun) == 1
    assert not worker.strategy.waiting
    assert not any(each.acknowledged for each in waiting)


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        ({"exchange": "order_events"}, False),
        ({"exchange": "order_events", "redelivered": True}, True),
        ({"exchange": "order_events", "headers": {"replay": "job"}}, True),
        ({"exchange": "order_events", "headers": {"attempt": 2}}, True),
        ({"exchange": "", "headers": {"attempts": "[]"}}, True),
        # Only our own retries come with a history.
        ({"exchange": "order_events", "headers": {"attempts": "[]"}}, False),
    ],
)
def test_what_was_delivered_tried_or_replayed_before_runs_alone(
    came: dict[str, Any], expected: bool
) -> None:
    headers = came.pop("headers", {})

    assert has_a_history(SimpleNamespace(delivery_info=came, headers=headers)) is expected


def test_of_several_workers_each_gathers_for_longer(worker: Worker) -> None:
    worker.deliver(10)
    worker.pass_time()
    worker.deliver(10)
    worker.end(worker.begun[0], workers=3)
    worker.pass_time(2.9 * INTERVAL_SECONDS)
    assert len(worker.begun) == 1
    worker.deliver(10)
    worker.pass_time(0.2 * INTERVAL_SECONDS)
    assert len(worker.begun[1].messages) == 20

    worker.end(worker.begun[1], workers=1)
    worker.deliver(10)
    worker.pass_time(INTERVAL_SECONDS)
    assert len(worker.begun) == 3


def test_however_many_share_the_queue_a_message_does_not_wait_for_long(worker: Worker) -> None:
    worker.deliver(10)
    worker.pass_time()
    worker.deliver(10)
    worker.end(worker.begun[0], workers=100)
    worker.pass_time(MOST_SHARING * INTERVAL_SECONDS)

    assert len(worker.begun) == 2
