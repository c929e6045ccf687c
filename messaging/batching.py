"""Batches: many messages in one call of a handler, one transaction and one round of confirms.

The single path (`messaging.retries`) is the truth and the batch an optimisation of it: whatever
goes wrong in a batch, its messages run alone, where attempts, limits and certificates apply. A
message that was delivered, tried or replayed before always runs alone.

A batch is what has arrived while the one before it ran, so that its size follows the load and a
message on an idle system waits for nobody.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from celery import Task
from celery.worker.strategy import default as single_strategy

from messaging.handlers import attempt_batch
from messaging.incoming import ATTEMPT_HEADER, Delivery
from messaging.outages import ride_out

logger = logging.getLogger(__name__)

BATCH_MESSAGES = 200


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
        self._running = False

    def __call__(self, *args: Any) -> None:
        call = Call(*args)
        if has_a_history(call.message):
            self._alone(*call)
            return
        self._waiting.append(call)
        if not self._running:
            self._running = True
            # What else has arrived is read first.
            self._consumer.call_soon(self._run_next)

    def _run_next(self) -> None:
        calls = [self._waiting.popleft() for _ in range(min(len(self._waiting), BATCH_MESSAGES))]
        self._running = bool(calls)
        if len(calls) == 1:
            message, payload, ack, reject, callbacks = calls[0]
            self._alone(message, payload, self._then(ack), self._then(reject), callbacks)
        elif calls:
            self._consumer.on_task_request(Batch(self, calls))

    def _then(self, settle: Callable[..., Any]) -> Callable[..., Any]:
        def settle_and_go_on(*args: Any, **kwargs: Any) -> None:
            settle(*args, **kwargs)
            self._run_next()

        return settle_and_go_on

    def send(self, batch: Batch, pool: Any) -> None:
        """Hand the batch to a pool child, under the time limits of its task."""
        delivery = batch.calls[0].message.headers["delivery"]
        bodies = [bytes(call.message.body) for call in batch.calls]
        pool.apply_async(
            run_batch,
            args=(delivery.service, delivery.type, bodies),
            callback=partial(self._done, batch.calls),
            error_callback=partial(self._failed, batch.calls),
            soft_timeout=self._task.soft_time_limit,
            timeout=self._task.time_limit,
        )

    def _done(self, calls: list[Call], refused: list[int]) -> None:
        for index in refused:
            self._alone(*calls[index])
        left_alone = set(refused)
        for index, call in enumerate(calls):
            if index not in left_alone:
                call.message.ack_log_error(logger, self._consumer.connection_errors)
        logger.info("%s: %d in a batch", self._task.name, len(calls) - len(refused))
        self._run_next()

    def _failed(self, calls: list[Call], error: Any) -> None:
        logger.warning(
            "%s: each of %d runs alone, since their batch failed: %s",
            self._task.name,
            len(calls),
            error.exception,
        )
        for call in calls:
            self._alone(*call)
        self._run_next()


class Batch(NamedTuple):
    """Several messages in the shape that Celery's worker takes for one request."""

    strategy: BatchStrategy
    calls: list[Call]

    def execute_using_pool(self, pool: Any, **_: Any) -> None:
        self.strategy.send(self, pool)


def has_a_history(message: Any) -> bool:
    """Whether this is not the message's first delivery, attempt and life, nor its sender's."""
    delivery: Delivery = message.headers["delivery"]
    return bool(
        message.delivery_info.get("redelivered")
        or delivery.attempts
        or "replay" in delivery.headers
        or ATTEMPT_HEADER in delivery.headers
    )


def run_batch(service: str, type_: str, bodies: list[bytes]) -> list[int]:
    """In the pool child: handle all bodies at once, and return the indexes that must run alone.

    Raises:
        Exception: nothing can be said of any of them.
    """
    return ride_out(lambda: attempt_batch(service, type_, bodies))
