"""How long a worker holds messages that no handler has started.

Many are taken in advance, so that batches fill. Behind slow handlers they would wait for hours, and
RabbitMQ closes a channel on which a message is unacked for longer than its `consumer_timeout`
(30 minutes by default). So what waits for too long goes back, and from then on few are taken, until
as many as usual would not wait for long.
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
        self._takes_few = False
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
        if self._takes_few:
            if would_take_seconds(self._usual_count, settled) < LONGEST_SECONDS:
                self._consumer.call_soon(self._take, self._usual_count)
        elif self._oldest_seconds() > LONGEST_SECONDS:
            self._consumer.call_soon(self._give_back)

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
            "are slow. Nothing is lost; until they are faster, %d messages are taken at a time.",
            len(returned),
            LONGEST_SECONDS,
            self._few,
        )

    def _take(self, count: int) -> None:
        """Hold at most so many from now on, beside those that are here."""
        if is_asked_to_stop():
            return
        begin_again(self._consumer.task_consumer, count)
        self._takes_few = count < self._usual_count

    def _strategies(self) -> Iterator[BatchStrategy]:
        for strategy in self._consumer.strategies.values():
            if isinstance(strategy, BatchStrategy):
                yield strategy


def longest_held_seconds() -> float:
    """So long a message may be unacked: it waits, shares a call that fails, and runs alone."""
    return LONGEST_SECONDS + HOLDING_CHECK_SECONDS + 2 * settings.TASK_TIME_LIMIT_SECONDS


def would_take_seconds(count: int, settled: int) -> float:
    """How long so many messages take, where `settled` were done between two checks."""
    return count / settled * HOLDING_CHECK_SECONDS if settled else float("inf")


def messages_of(call: Request | Batch) -> list[Any]:
    """The messages of a call that waits for a pool child."""
    return call.messages if isinstance(call, Batch) else [call.message]
