"""Batches: many messages in one call of a handler, one transaction and one round of confirms.

The single path (`messaging.retries`) is the truth and the batch an optimisation of it: whatever
goes wrong in a batch, its messages run alone, where attempts, limits and certificates apply. A
message that was delivered, tried or replayed before always runs alone.

A batch is what has arrived since the one before it was started, so that its size follows the load
and a message on an idle system waits for nobody. Nor does it wait long for a message that hangs.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from celery import Task
from celery.worker.strategy import default as single_strategy

from messaging.attempting import attempt_batch
from messaging.certificate import NO_ATTEMPTS
from messaging.handlers import HANDLERS
from messaging.incoming import ATTEMPT_HEADER, Delivery
from messaging.outages import ride_out

logger = logging.getLogger(__name__)

BATCH_MESSAGES = 200
#: Of their bodies together, unless one alone has more: bounds what a pool child holds.
BATCH_BYTES = 8 * 1024 * 1024
#: From the start of one call to the start of the next, unless a whole batch waits. A message that
#: comes alone does not notice; of those that come in numbers, more share a call.
INTERVAL_SECONDS = 0.03
#: A call that runs longer than this holds up nobody any more, as long as the pool has children.
PATIENCE_SECONDS = 1


class Call(NamedTuple):
    """What Celery hands to a strategy with each message."""

    message: Any
    payload: Any
    ack: Callable[..., Any]
    reject: Callable[..., Any]
    callbacks: Any


class BatchStrategy:
    """Gathers the messages of one handler; Celery calls it with each one in the main process."""

    def __init__(self, task: Task, app: Any, consumer: Any) -> None:
        self._alone = single_strategy(task, app, consumer)
        self._task = task
        self._consumer = consumer
        self._waiting: deque[Call] = deque()
        #: Whether a call runs or is about to.
        self._busy = False
        #: Counts the calls; the last one is who the next one waits for.
        self._turn = 0
        self._started_at = -math.inf

    def __call__(self, *args: Any) -> None:
        call = Call(*args)
        if has_a_history(call.message) or self._is_newer(call.message):
            self._alone(*call)
            return
        self._waiting.append(call)
        if not self._busy:
            self._schedule_next()

    def _is_newer(self, message: Any) -> bool:
        """Whether only a newer release reads its format, so that it would spoil a batch."""
        delivery: Delivery = message.headers["delivery"]
        known = HANDLERS[delivery.service, delivery.type].version
        return delivery.schema_version > known

    def _schedule_next(self) -> None:
        """Run what waits as soon as its turn has come."""
        self._busy = bool(self._waiting)
        if not self._busy:
            return
        pause_seconds = self._started_at + INTERVAL_SECONDS - time.monotonic()
        if pause_seconds > 0 and len(self._waiting) < BATCH_MESSAGES:
            self._consumer.timer.call_after(pause_seconds, self._run_next)
        else:
            # What else has arrived is read first.
            self._consumer.call_soon(self._run_next)

    def _run_next(self) -> None:
        if self._waiting and not self._consumer.acks.covers(self._waiting[0].message):
            # Their connection is lost: they are delivered again.
            self._waiting.clear()
        calls = self._take_batch()
        self._busy = bool(calls)
        if not calls:
            return
        self._turn += 1
        self._started_at = time.monotonic()
        self._consumer.timer.call_after(PATIENCE_SECONDS, self._ended, (self._turn,))
        if len(calls) == 1:
            self._run_alone(calls[0], self._turn)
        else:
            self._consumer.on_task_request(Batch(self, calls, self._turn))

    def _take_batch(self) -> list[Call]:
        """The oldest of those that wait, as many as fit."""
        calls: list[Call] = []
        room_bytes = BATCH_BYTES
        while self._waiting and len(calls) < BATCH_MESSAGES:
            room_bytes -= len(self._waiting[0].message.body)
            if calls and room_bytes < 0:
                break
            calls.append(self._waiting.popleft())
        return calls

    def _run_alone(self, call: Call, turn: int) -> None:
        ack, reject = self._then(call.ack, turn), self._then(call.reject, turn)
        self._alone(call.message, call.payload, ack, reject, call.callbacks)

    def _then(self, settle: Callable[..., Any], turn: int) -> Callable[..., Any]:
        def settle_and_go_on(*args: Any, **kwargs: Any) -> None:
            settle(*args, **kwargs)
            self._ended(turn)

        return settle_and_go_on

    def _ended(self, turn: int) -> None:
        """The call is over, or we wait for it no longer: the first of the two counts."""
        if turn == self._turn:
            self._turn += 1
            self._schedule_next()

    def send(self, batch: Batch, pool: Any) -> None:
        """Hand the batch to a pool child, under the time limits of its task."""
        delivery = batch.calls[0].message.headers["delivery"]
        bodies = [bytes(call.message.body) for call in batch.calls]
        pool.apply_async(
            run_batch,
            args=(delivery.service, delivery.type, bodies),
            callback=partial(self._done, batch),
            error_callback=partial(self._failed, batch),
            soft_timeout=self._task.soft_time_limit,
            timeout=self._task.time_limit,
        )

    def _done(self, batch: Batch, refused: list[int]) -> None:
        calls = batch.calls
        self._run_each_alone([calls[index] for index in refused])
        left_alone = set(refused)
        self._ack([call.message for index, call in enumerate(calls) if index not in left_alone])
        logger.info("%s: %d in a batch", self._task.name, len(calls) - len(refused))
        self._ended(batch.turn)

    def _ack(self, messages: list[Any]) -> None:
        try:
            self._consumer.acks.ack(messages)
        except self._consumer.connection_errors as error:
            # They are delivered again, and found done.
            logger.warning("%d messages could not be acked: %s", len(messages), error)

    def _failed(self, batch: Batch, error: Any) -> None:
        calls = batch.calls
        logger.warning(
            "%s: each of %d runs alone, since their batch failed: %s",
            self._task.name,
            len(calls),
            error.exception,
        )
        self._run_each_alone(calls)
        self._ended(batch.turn)

    def _run_each_alone(self, calls: list[Call]) -> None:
        for call in calls:
            # Those of a connection that was lost meanwhile are delivered again.
            if self._consumer.acks.covers(call.message):
                self._alone(*call)


class Batch(NamedTuple):
    """Several messages in the shape that Celery's worker takes for one request."""

    strategy: BatchStrategy
    calls: list[Call]
    turn: int

    def execute_using_pool(self, pool: Any, **_: Any) -> None:
        self.strategy.send(self, pool)


def has_a_history(message: Any) -> bool:
    """Whether this is not the message's first delivery, attempt and life, nor its sender's."""
    delivery: Delivery = message.headers["delivery"]
    return bool(
        message.delivery_info.get("redelivered")
        or delivery.attempts_json != NO_ATTEMPTS
        or "replay" in delivery.headers
        or ATTEMPT_HEADER in delivery.headers
    )


def run_batch(service: str, type_: str, bodies: list[bytes]) -> list[int]:
    """In the pool child: handle all bodies at once, and return the indexes that must run alone.

    Raises:
        Exception: nothing can be said of any of them.
    """
    handle_batch = HANDLERS[service, type_].handle_batch
    assert handle_batch is not None
    return ride_out(lambda: attempt_batch(handle_batch, service, type_, bodies))
