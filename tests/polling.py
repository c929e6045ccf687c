"""Waiting for what other processes do, without fixed sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

POLL_SECONDS = 0.05
#: Of a busy machine that is slow already; a test that passes waits for a fraction of it.
PATIENCE_SECONDS = 180.0


def eventually(check: Callable[[], Any], within_seconds: float = PATIENCE_SECONDS) -> Any:
    """Call `check` until it returns something true, and return that.

    An AssertionError counts as "not yet", so `check` may hold asserts; a check that holds
    nothing but asserts ends with `return True`. Any other exception is the test's own failure.

    Raises:
        AssertionError: the last one of `check`, or one that shows what `check` last returned.
    """
    deadline = time.monotonic() + within_seconds
    while True:
        try:
            answer = check()
            failure = AssertionError(f"still {answer!r} after {within_seconds} seconds")
            if answer:
                return answer
        except AssertionError as error:
            failure = error
        if time.monotonic() > deadline:
            raise failure
        time.sleep(POLL_SECONDS)
