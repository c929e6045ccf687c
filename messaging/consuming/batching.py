"""Batches: many messages in one call of a handler, one transaction and one round of confirms.

The single path (`messaging.handling.task`) is the truth and the batch an optimisation of it:
whatever goes wrong in a batch, its messages run alone, where attempts, limits and certificates
apply. A message that was delivered, tried or replayed before always runs alone.

A batch is what has arrived since the one before it was started, so that its size follows the load
and a message on an idle system does not wait. Nor does it wait long for a message that hangs.
"""

from __future__ import annotations

import logging
import time
from collections import Counter as Tally
from collections import deque
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, NamedTuple

from celery import Task

from messaging.adapters import celery
from messaging.consuming import counts
from messaging.handling.call import BatchCall
from messaging.handling.handlers import HANDLERS
from messaging.handling.middlewares import around_a_batch, run
from messaging.handling.worker_count import sharing
from messaging.incoming import ATTEMPT_HEADER, begun_trace, came_back, was_returned
from messaging.service import services
from messaging.spans import of_message
from messaging.trust.publishers import publisher_of
from runtime.batch_interval import INTERVAL_SECONDS, Pace
from runtime.tracing import context, spans
from runtime.tracing.context import TraceContext
from runtime.tracing.spans import Link

logger = logging.getLogger(__name__)

BATCH_MESSAGES = 800
#: Of their bodies together, unless one alone has more: bounds what a pool child holds.
BATCH_BYTES = 8 * 1024 * 1024
#: More workers than these make a message wait no longer.
MOST_SHARING = 4
#: A call that runs longer than this holds up no other any more, as long as the pool has children.
PATIENCE_SECONDS = 1


class BatchStrategy:
    """Gathers the messages of one handler; Celery calls it with each that is to run alone."""

    def __init__(self, task: Task, app: Any, consumer: Any) -> None:
        self._alone = celery.single_strategy(task, app, consumer)
        self._task = task
        self._consumer = consumer
        self._waiting: deque[Any] = deque()
        #: The message that the next call waits for although it runs alone, and its number.
        self._awaited: tuple[Any, int] | None = None
        #: Whether a call runs or is about to.
        self._busy = False
        #: Counts the calls; the next one waits for the last one.
        self._number = 0
        self._pace = Pace()

    def __call__(self, message: Any, payload: Any, ack: Any, reject: Any, callbacks: Any) -> None:
        if self._awaited and self._awaited[0] is message:
            _, number = self._awaited
            self._awaited = None
            ack, reject = self._then(ack, number), self._then(reject, number)
        self._alone(message, payload, ack, reject, callbacks)

    def gather(self, message: Any) -> None:
        """Let a message share its call with others; it has no history."""
        self._waiting.append(message)
        if not self._busy:
            self._schedule_next()

    @property
    def waiting(self) -> Collection[Any]:
        """The messages that have no call yet."""
        return self._waiting

    def forget_waiting(self) -> None:
        """Let go of what has no call yet: RabbitMQ still has it."""
        self._waiting.clear()

    def _schedule_next(self) -> None:
        """Run what waits as soon as the next call may run."""
        self._busy = bool(self._waiting)
        if not self._busy:
            return
        pause_seconds = self._pace.pause_seconds()
        if pause_seconds > 0 and len(self._waiting) < BATCH_MESSAGES:
            self._consumer.timer.call_after(pause_seconds, self._run_next)
        else:
            # What else has arrived is read first.
            self._consumer.call_soon(self._run_next)

    def _run_next(self) -> None:
        if self._waiting and not self._consumer.acks.covers(self._waiting[0]):
            # Their connection is lost: they are delivered again.
            self._waiting.clear()
        messages = self._take_batch()
        self._busy = bool(messages)
        if not messages:
            return
        self._number += 1
        self._pace.called(len(messages))
        self._consumer.timer.call_after(PATIENCE_SECONDS, self._ended, (self._number,))
        if len(messages) == 1:
            self._awaited = messages[0], self._number
            self._consumer.run_alone(messages[0])
        else:
            celery.start_call(self._consumer, Batch(self, messages, self._number))

    def _take_batch(self) -> list[Any]:
        """The oldest of those that wait, as many as fit."""
        messages: list[Any] = []
        room_bytes = BATCH_BYTES
        while self._waiting and len(messages) < BATCH_MESSAGES:
            room_bytes -= len(self._waiting[0].body)
            if messages and room_bytes < 0:
                break
            messages.append(self._waiting.popleft())
        return messages

    def _then(self, settle: Callable[..., Any], number: int) -> Callable[..., Any]:
        def settle_and_go_on(*args: Any, **kwargs: Any) -> None:
            settle(*args, **kwargs)
            self._ended(number)

        return settle_and_go_on

    def _ended(self, number: int) -> None:
        """The call is over, or we wait for it no longer: the first of the two counts."""
        if number == self._number:
            self._number += 1
            self._schedule_next()

    def send(self, batch: Batch, pool: Any) -> None:
        """Hand the batch to a pool child, under the time limits of its task."""
        service, _, type_ = self._task.name.partition(".")
        bodies = [bytes(message.body) for message in batch.messages]
        publishers = [publisher_of(each, services()[service]) for each in batch.messages]
        pool.apply_async(
            run_batch,
            args=(service, type_, bodies, publishers, traces_of(batch.messages)),
            callback=partial(self._done, batch),
            error_callback=partial(self._failed, batch),
            soft_timeout=self._task.soft_time_limit,
            timeout=self._task.time_limit,
        )

    def _done(self, batch: Batch, outcome: Outcome) -> None:
        messages = batch.messages
        self._run_each_alone([messages[index] for index in outcome.refused])
        left_alone = set(outcome.refused)
        handled = [each for index, each in enumerate(messages) if index not in left_alone]
        self._ack(handled)
        # Each gathers for longer then, so that batches stay as large.
        self._pace.interval_seconds = INTERVAL_SECONDS * min(outcome.workers, MOST_SHARING)
        logger.info("%s: %d in a batch", self._task.name, len(handled))
        service, _, type_ = self._task.name.partition(".")
        counts.called(service, type_, outcome.seconds, len(messages))
        counts.handled(service, type_, [each.properties.get("timestamp") for each in handled])
        counts.led_to(outcome.events)
        self._ended(batch.number)

    def _ack(self, messages: list[Any]) -> None:
        try:
            self._consumer.acks.ack(messages)
        except self._consumer.connection_errors as error:
            # They are delivered again, and found done.
            logger.warning("%d messages could not be acked: %s", len(messages), error)

    def _failed(self, batch: Batch, error: Any) -> None:
        logger.warning(
            "%s: the batch failed, so its %d messages run one by one: %s",
            self._task.name,
            len(batch.messages),
            error.exception,
        )
        self._run_each_alone(batch.messages)
        self._ended(batch.number)

    def _run_each_alone(self, messages: list[Any]) -> None:
        for message in messages:
            # Those of a connection that was lost meanwhile are delivered again.
            if self._consumer.acks.covers(message):
                self._consumer.run_alone(message)


class Batch(NamedTuple):
    """Several messages in the form that Celery's worker takes for one request."""

    strategy: BatchStrategy
    messages: list[Any]
    number: int

    def execute_using_pool(self, pool: Any, **_: Any) -> None:
        self.strategy.send(self, pool)


class Outcome(NamedTuple):
    """What a pool child tells of a batch."""

    #: The indexes of the messages that must run alone.
    refused: list[int]
    #: How long the call took.
    seconds: float
    #: How many share the queue.
    workers: int
    #: How many events of each type it has published.
    events: Mapping[str, int]


def has_a_history(message: Any) -> bool:
    """Whether this is not the message's first delivery, attempt and life, nor its sender's."""
    return bool(
        was_returned(message)
        or (came_back(message) and "attempts" in message.headers)
        or "replay" in message.headers
        or ATTEMPT_HEADER in message.headers
    )


def traces_of(messages: list[Any]) -> dict[int, Link]:
    """Those of the messages that have one, by index; none where traces are not recorded."""
    if not spans.is_on():
        return {}
    headers = ({**message.headers, **begun_trace(message)} for message in messages)
    found = ((index, context.read(each)) for index, each in enumerate(headers))
    return {index: _sent(messages[index], trace) for index, trace in found if trace}


def _sent(message: Any, trace: TraceContext) -> Link:
    if not trace.is_sampled:
        return Link(trace)
    ids = (str(message.properties.get(name) or "") for name in ("message_id", "correlation_id"))
    return Link(trace, of_message(*ids))


def run_batch(
    service: str,
    type_: str,
    bodies: list[bytes],
    publishers: list[str],
    traces: dict[int, Link],
) -> Outcome:
    """In the pool child: handle all bodies at once.

    Raises:
        Exception: nothing can be said of any of them.
    """
    handler = HANDLERS[service, type_]
    call = BatchCall(
        service=service,
        type=type_,
        handler=handler,
        raw=bodies,
        publishers=publishers,
        traces=traces,
    )
    began = time.monotonic()
    answers = run(call, around_a_batch())
    refused = [index for index, events in enumerate(answers) if events is None]
    led_to = Tally(event.type for events in answers for event in events or ())
    seconds = time.monotonic() - began
    return Outcome(refused, seconds, sharing(service).workers(), dict(led_to))
