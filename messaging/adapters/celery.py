"""Celery's worker: the steps of its start, its event loop, and its calls."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from celery.concurrency.prefork import TaskPool
from celery.exceptions import WorkerShutdown, WorkerTerminate
from celery.worker import loops
from celery.worker.consumer import Consumer
from celery.worker.request import Request
from celery.worker.state import maybe_shutdown
from celery.worker.strategy import default as single_strategy

from runtime.tried_releases import Tried

__all__ = ["Consumer", "Request", "maybe_shutdown", "single_strategy"]

TRIED = Tried(
    "celery",
    "==5.7.0",
    "each message is handled alone instead of in batches, which takes some ten times as long, and "
    "the events that it leads to are not counted, Celery declares its queues for delayed delivery, "
    "and a connection that RabbitMQ closes as a worker begins to consume is noticed by its "
    "heartbeat",
)

#: Declares 28 queues for tasks with an ETA; our retries wait in queues of their own.
UNUSED_STEPS = {"celery.worker.consumer.delayed_delivery:DelayedDelivery"}


def install() -> None:
    """Let an event loop that begins notice that its connection is lost, in this process."""
    if TRIED.is_installed:
        loops._quick_drain = first_drain


def first_drain(connection: Any, timeout: float = 0.1) -> None:
    """Take what may have come before the event loop reads, in place of Celery's own.

    Celery's lets go of an error without an `errno`, such as RabbitMQ's word that it closes the
    connection. It would go unnoticed for half a minute, until no heartbeat has come.

    Raises:
        OSError, amqp.AMQPError: the connection is lost.
    """
    with suppress(TimeoutError):
        connection.drain_events(timeout=timeout)


def used_steps() -> list[Any]:
    """What a consumer goes through as it starts."""
    steps = list(Consumer.Blueprint.default_steps)
    return [each for each in steps if each not in UNUSED_STEPS] if TRIED.is_installed else steps


def start_call(consumer: Any, call: Any) -> None:
    """Have the pool execute a call as soon as a child is free.

    Args:
        call: a `Request`, or whatever else has its `execute_using_pool`.
    """
    consumer.on_task_request(call)


def keep_on_success(request: type[Request]) -> None:
    """Let a class that Celery makes of ours for each task call our `on_success`.

    Its own does what `Request`'s does, and leaves ours out.
    """
    if TRIED.is_installed:
        del request.on_success


def is_prefork(pool: type) -> bool:
    """Whether a pool of this class has processes."""
    return issubclass(pool, TaskPool)


def is_asked_to_stop() -> bool:
    """Whether Celery was told to shut down warmly."""
    return _asked_to() is WorkerShutdown


def is_asked_to_end_now() -> bool:
    """Whether it was told so a second time, or to shut down cold."""
    return _asked_to() is WorkerTerminate


def _asked_to() -> type[SystemExit] | None:
    try:
        maybe_shutdown()
    except (WorkerShutdown, WorkerTerminate) as asked:
        return type(asked)
    return None
