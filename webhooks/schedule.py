"""When what failed is tried again, and when an endpoint is left alone."""

from __future__ import annotations

import random
from datetime import timedelta

#: Before a delivery's second, third … attempt: a day in all.
BACKOFF_SECONDS = (5, 300, 1_800, 7_200, 14_400, 25_200, 39_600)
MOST_TRIES = len(BACKOFF_SECONDS) + 1
#: Of a delay, more or less, so that what failed together does not come back together.
JITTER = 0.1

#: An endpoint that has failed for so long gets nothing for as long again, but at most for this:
#: then one delivery shows whether it works. At its first failure it is left alone for no time, as
#: that may be the one delivery's own.
MOST_HOLD_SECONDS = 600


def delay_after(tries: int) -> timedelta | None:
    """How long a delivery waits after so many failed tries, at least one; None: it is given up."""
    if tries >= MOST_TRIES:
        return None
    spread = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    return timedelta(seconds=BACKOFF_SECONDS[tries - 1] * spread)
