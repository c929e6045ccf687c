"""When the next call of something may begin that does many things at once as cheaply as few."""

from __future__ import annotations

import time
from collections import deque

#: From one call to the next, where more than a few things came of late: more of them share a call
#: then …
INTERVAL_SECONDS = 0.1
#: … and so many in that time are few. An order is two things for the relay, and for its ledger.
FEW = 4


class Pace:
    """On an idle system nothing waits; the more comes, the more of it shares a call."""

    def __init__(self) -> None:
        self.interval_seconds = INTERVAL_SECONDS
        #: When each call of late was, and how many things were in it.
        self._calls: deque[tuple[float, int]] = deque()

    def called(self, count: int) -> None:
        """Say that there is a call with so many things now."""
        self._calls.append((time.monotonic(), count))

    def pause_seconds(self) -> float:
        """For how long the next call waits for others; 0 where it begins at once."""
        now = time.monotonic()
        while self._calls and now - self._calls[0][0] >= self.interval_seconds:
            self._calls.popleft()
        if sum(count for _, count in self._calls) < FEW:
            return 0.0
        return self._calls[-1][0] + self.interval_seconds - now
