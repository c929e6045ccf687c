"""Waiting for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL_SECONDS = 0.1


class TookTooLong(Exception):
    """What was waited for has not happened."""


def lasting(reached: Callable[[], object], seconds: float) -> Callable[[], bool]:
    """What is true once `reached()` was true at every poll for so long."""
    since: float | None = None

    def has_lasted() -> bool:
        nonlocal since
        if not reached():
            since = None
            return False
        since = since or time.monotonic()
        return time.monotonic() - since >= seconds

    return has_lasted


def wait_until(
    reached: Callable[[], object],
    within_seconds: float,
    what: str = "",
    pause: float = POLL_SECONDS,
) -> float:
    """Poll until `reached()` is true; return how many seconds that took.

    Raises:
        TookTooLong: it was not true in time.
    """
    started = time.monotonic()
    while not reached():
        if time.monotonic() - started > within_seconds:
            raise TookTooLong(f"{what or 'It'} took more than {within_seconds:g} s.")
        time.sleep(pause)
    return time.monotonic() - started
