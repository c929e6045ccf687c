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
    left: Callable[[], int] | None = None,
) -> float:
    """Poll until `reached()` is true; return how many seconds that took.

    Args:
        left: how much has still to happen. Each time it is less than ever before the time begins
            anew, so that a slow machine is waited for and one that stands still is not.

    Raises:
        TookTooLong: it was not true in time.
    """
    started = moved = time.monotonic()
    least: int | None = None
    while not reached():
        if left and (least is None or left() < least):
            least, moved = left(), time.monotonic()
        if time.monotonic() - moved > within_seconds:
            stands = "" if least is None else f" without getting on, {least} left"
            raise TookTooLong(f"{what or 'It'} took more than {within_seconds:g} s{stands}.")
        time.sleep(pause)
    return time.monotonic() - started
