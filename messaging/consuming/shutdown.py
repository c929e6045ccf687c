"""A worker that is asked to stop finishes what its pool has begun, and acks it.

Celery closes its consumer at once and forgets calls whose child has not reported yet that it has
begun. Such a message is done and delivered anyway, and the child waits half a minute for a
process to read its result.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from django.conf import settings

from messaging.adapters import billiard
from messaging.adapters.celery import is_asked_to_end_now
from messaging.consuming.batching import BatchStrategy


def finish_begun(consumer: Any) -> None:
    """Take no further messages, and keep the event loop going until no call is left in the pool.

    What waits for a child goes back to RabbitMQ when the connection closes. A second request to
    stop, or a lost connection, ends the wait.
    """
    if not billiard.TRIED.is_installed:
        return
    with suppress(*consumer.connection_errors):
        consumer.task_consumer.cancel()
        forget_waiting(consumer)
        loop = consumer.hub.create_loop()
        deadline = time.monotonic() + settings.TASK_TIME_LIMIT_SECONDS
        while billiard.has_calls(consumer.pool) and time.monotonic() < deadline:
            if is_asked_to_end_now():
                break
            loop = turned(loop, consumer.hub)


def forget_waiting(consumer: Any) -> None:
    """Drop what no child has been given yet."""
    for strategy in consumer.strategies.values():
        if isinstance(strategy, BatchStrategy):
            strategy.forget_waiting()
    billiard.drop_unsent(consumer.pool)


def turned(loop: Any, hub: Any) -> Any:
    """The event loop, one cycle later; it ends now and then, and a new one is made."""
    try:
        next(loop)
    except StopIteration:
        return hub.create_loop()
    return loop
