"""What a worker's processes do before their first message."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from celery import current_app
from django.core.checks import run_checks
from django.db import connection

from messaging.adapters import billiard, celery, kombu
from messaging.declarations import TAG
from messaging.publishing.publisher import process_publisher
from runtime import heartbeat_file, presence
from runtime.garbage_collector import tune_garbage_collector
from runtime.metrics import serving
from runtime.priority import lower_priority
from runtime.stopping import StopRequest
from runtime.tracing import spans
from runtime.waiting import wait_for_database, wait_for_rabbitmq


def leave_logging_to_django(**_: Any) -> None:
    """Keep the settings' LOGGING: a receiver of this signal stops Celery from replacing it."""


def refuse_wrong_declarations(**_: Any) -> None:
    """End before anything is consumed where a service's declaration is wrong.

    Raises:
        SystemExit: with each error and what to write instead.
    """
    wrong = run_checks(tags=[TAG])
    if wrong:
        told = "\n".join(f"{each.id}: {each.msg} {each.hint}" for each in wrong)
        raise SystemExit(f"The declarations of the services are wrong.\n{told}")


def tell_of_untried_libraries(**_: Any) -> None:
    for adapter in (celery, kombu, billiard):
        adapter.TRIED.warn()


def lower_priority_of_worker(**_: Any) -> None:
    lower_priority()


def wait_for_services(**_: Any) -> None:
    """Wait for MongoDB and RabbitMQ, for as long as it takes; a signal still ends the process."""
    heartbeat_file.begin("worker")
    presence.begin("worker", consumed_queues)
    serving.serve()
    never = StopRequest()
    with ended_by_signals():
        wait_for_database(never)
        wait_for_rabbitmq(never)
    # The pool's children are forked from here, and PyMongo's threads would not be theirs.
    connection.close_pool()


def consumed_queues() -> list[str]:
    """What this worker was started for."""
    return sorted(current_app.amqp.queues.consume_from)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """A signal to stop ends the process inside the block with exit code 0, as at any other time.

    The first process of a container, too.

    Linux gives that process no signal that it has no handler for: pid_namespaces(7). Celery sets
    its own handlers later.
    """
    former = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in former:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit


def prepare_fork(**_: Any) -> None:
    # Celery would make it at the end of a child's first call, where the time limit of that call may
    # interrupt it: then it would not be known how the call ended.
    _ = current_app.backend
    tune_garbage_collector()


def prepare_pool_child(**_: Any) -> None:
    """Let go of what the fork inherited: connections cannot be shared between processes."""
    process_publisher().forget()
    connection.close_pool()
    serving.forget()
    # A process manager signals the whole group; the child's work ends with its parent's
    # warm shutdown instead.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def end_pool_child(**_: Any) -> None:
    """Such a process ends without Python's own `atexit`."""
    spans.stop()
