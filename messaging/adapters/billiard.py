"""billiard, and Celery's pool of it: the calls of a worker's pool."""

from __future__ import annotations

from typing import Any

from billiard.einfo import ExceptionWithTraceback

from runtime.tried_releases import Tried

TRIED = Tried(
    "billiard",
    "==4.3.2",
    "a worker that is asked to stop does not wait for each call in its pool: RabbitMQ delivers "
    "such messages again, and their work is found done",
)


def has_calls(pool: Any) -> bool:
    """Whether the worker's pool has calls without a result."""
    return bool(pool._pool._cache)


def drop_unsent(pool: Any) -> None:
    """Let go of the calls that no child has been sent yet."""
    unsent = pool._pool.outbound_buffer
    for call in unsent:
        call.discard()
    unsent.clear()


def error_of(exc_info: Any) -> BaseException:
    """What a call ended with, as its child raised it."""
    error: Any = exc_info.exception
    raised: BaseException = error.exc if isinstance(error, ExceptionWithTraceback) else error
    return raised


def watch_children_again(pool: Any) -> None:
    """Let Celery register each child with its event loop once more, after a lost connection.

    It marks one whose exit it has seen by None. Where that one is still in the pool, or lives, the
    worker would end over it.
    """
    pool.maintain_pool()
    for child in pool._pool._pool:
        if getattr(child, "_sentinel_poll", "not watched yet") is None:
            del child._sentinel_poll
