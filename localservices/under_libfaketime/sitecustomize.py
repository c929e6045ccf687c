"""Sleeping under libfaketime 0.9.10, Debian 12's: Python runs this as it starts.

It takes the monotonic moment until which Python sleeps for one of the wall clock, so that
`clock_nanosleep` fails (EINVAL). https://github.com/wolfcw/libfaketime/blob/v0.9.10/src/libfaketime.c
"""

import select
import time


def sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


setattr(time, "sleep", sleep)  # noqa: B010 - for mypy time.sleep takes what select does not
