"""A worker that is asked to stop finishes what its pool has begun, and acks it.

Celery closes its consumer at once and forgets calls whose child has not told yet that it has begun.
Such a message is done and delivered all the same, and the child waits half a minute for somebody to
read its result (billiard.pool, `_ensure_messages_consumed`).
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from celery.worker import state
from django.conf import settings

from messaging.consuming.batching import BatchStrategy


def is_asked_to_stop() -> bool:
    """Whether Celery was told to shut down warmly."""
    # It holds an exit code then, which may be 0 and thus equal to False.
    return state.should_stop is not None and state.should_stop is not False


def finish_begun(consumer: Any) -> None:
    """Take no further messages, and keep the event loop going until no call is left in the pool.

    What waits for a child goes back to RabbitMQ when the connection closes. A second request to
    stop, or a lost connection, ends the wait.
    """
    with suppress(*consumer.connection_errors):
        consumer.task_consumer.cancel()
        forget_waiting(consumer)
        pool = consumer.pool._pool
        loop = consumer.hub.create_loop()
        deadline = time.monotonic() + settings.TASK_TIME_LIMIT_SECONDS
        while pool._cache and time.monotonic() < deadline and not state.should_terminate:
            loop = turned(loop, consumer.hub)


def forget_waiting(consumer: Any) -> None:
    """Drop what no child has been given yet."""
    for strategy in consumer.strategies.values():
        if isinstance(strategy, BatchStrategy):
            strategy.forget_waiting()
    unsent = consumer.pool._pool.outbound_buffer
    for job in unsent:
        job.discard()
    unsent.clear()


def turned(loop: Any, hub: Any) -> Any:
    """The event loop, one cycle later; it ends now and then and is made anew."""
    try:
        next(loop)
    except StopIteration:
        return hub.create_loop()
    return loop
