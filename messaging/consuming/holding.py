"""How long a worker holds messages that no handler has started.

Many are taken in advance, so that batches fill. Behind slow handlers they would wait for hours, and
RabbitMQ closes a channel on which a message is unacked for longer than its `consumer_timeout`
(30 minutes by default). So what waits for too long goes back, and from then on few are taken, and
more as handlers are faster, up to as many as usual.
https://www.rabbitmq.com/docs/consumers#acknowledgement-timeout
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.conf import settings

from messaging.adapters import kombu
from messaging.adapters.celery import Request, is_asked_to_stop
from messaging.consuming.batching import Batch, BatchStrategy
from messaging.consuming.prefetch import FEW_A_CHILD, begin_again

logger = logging.getLogger(__name__)

#: A message that no handler has begun goes back after so long and the time to the next check. One
#: that has begun has `TASK_TIME_LIMIT_SECONDS` on top; RabbitMQ's `consumer_timeout` is far longer.
LONGEST_SECONDS = 60
HOLDING_CHECK_SECONDS = 5


class Check(NamedTuple):
    """What had been delivered when."""

    last_tag: int
    at_seconds: float


class Holding:
    """What one worker holds over one connection."""

    def __init__(self, consumer: Any, usual_count: int) -> None:
        """Args:
        consumer: the worker's `EventConsumer`, connected.
        usual_count: how many messages it takes in advance.
        """
        self._consumer = consumer
        self._usual_count = usual_count
        self._few = FEW_A_CHILD * consumer.pool.num_processes
        self._count = usual_count
        self._checks: deque[Check] = deque([Check(0, time.monotonic())])
        self._settled = 0

    def check(self) -> None:
        """Find out whether messages wait for too long, or may be taken again; call it regularly.

        What follows from it is done outside of the timer, which would keep RabbitMQ's refusals.
        """
        acks = self._consumer.acks
        settled = acks.settled() - self._settled
        self._settled += settled
        self._checks.append(Check(acks.last_tag, time.monotonic()))
        if self._consumer.one_by_one.is_on:
            # It decides how many are taken.
            return
        more = affordable(settled, self._usual_count)
        if self._count > self._few and self._oldest_seconds() > LONGEST_SECONDS:
            self._consumer.call_soon(self._give_back)
        elif self._count < more and (more == self._usual_count or settled >= 2 * self._count):
            self._consumer.call_soon(self._take, more)

    def _oldest_seconds(self) -> float:
        """At most so long has the message waited that waits to be begun for longest."""
        tags = [message.delivery_tag for message in self._waiting()]
        oldest = min(tags, default=self._consumer.acks.last_tag + 1)
        while len(self._checks) > 1 and self._checks[1].last_tag < oldest:
            self._checks.popleft()
        return time.monotonic() - self._checks[0].at_seconds if tags else 0

    def _waiting(self) -> Iterator[Any]:
        """The messages that no pool child has been given."""
        for strategy in self._strategies():
            yield from filter(self._consumer.acks.covers, strategy.waiting)
        for call in kombu.waiting_calls(self._consumer.controller.semaphore):
            yield from filter(self._consumer.acks.covers, messages_of(call))

    def _give_back(self) -> None:
        if is_asked_to_stop():
            return
        # First, as RabbitMQ would send them here again.
        self._take(self._few)
        returned = list(self._waiting())
        for strategy in self._strategies():
            strategy.forget_waiting()
        kombu.forget_waiting_calls(self._consumer.controller.semaphore)
        for message in returned:
            message.reject(requeue=True)
        self._settled = self._consumer.acks.settled()
        logger.warning(
            "Gave %d messages back to RabbitMQ, which waited for %d s as the handlers of others "
            "are slow. Nothing is lost. Now %d messages are taken at a time, and more as the "
            "handlers' pace allows.",
            len(returned),
            LONGEST_SECONDS,
            self._few,
        )

    def _take(self, count: int) -> None:
        """Hold at most so many from now on, beside those that are here."""
        if is_asked_to_stop():
            return
        begin_again(self._consumer.task_consumer, count)
        self._count = count

    def _strategies(self) -> Iterator[BatchStrategy]:
        for strategy in self._consumer.strategies.values():
            if isinstance(strategy, BatchStrategy):
                yield strategy


def longest_held_seconds() -> float:
    """So long a message may be unacked: it waits, shares a call that fails, and runs alone."""
    return LONGEST_SECONDS + HOLDING_CHECK_SECONDS + 2 * settings.TASK_TIME_LIMIT_SECONDS


def affordable(settled: int, usual_count: int) -> int:
    """How many messages to take, where `settled` were done between two checks.

    Few messages fill no batch, so few at a time may be slow although many would be fast. So the
    count grows step by step, and does not wait until the pace of few would do for as many as usual.

    Returns: as many as usual where these would not wait for too long, else what would wait for
        half of that.
    """
    in_time = settled * LONGEST_SECONDS // HOLDING_CHECK_SECONDS
    return usual_count if in_time > usual_count else in_time // 2


def messages_of(call: Request | Batch) -> list[Any]:
    """The messages of a call that waits for a pool child."""
    return call.messages if isinstance(call, Batch) else [call.message]
