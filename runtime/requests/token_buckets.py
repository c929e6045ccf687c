"""How much of something each client may still have: token buckets, in this process' memory.

Of a bucket only the moment is kept at which it is full again (the generic cell rate algorithm), so
a bucket that is full is forgotten, and nothing is lost with it.
"""

from __future__ import annotations

import math
import time


class Buckets:
    """A bucket for each client; it fills from empty to full in `window_seconds`."""

    def __init__(self, window_seconds: float, most: int = 50_000) -> None:
        """
        Args:
            most: of how many clients something is kept; beyond that the oldest are forgotten.
        """
        self.window_seconds = window_seconds
        self._most = most
        self._full_at: dict[str, float] = {}

    def take(self, client: str, per_second: float, now: float | None = None) -> float:
        """Take one for the client, who may have so many a second in the long run.

        Returns:
            Seconds until the bucket is full again; or, where it is empty and nothing was taken,
            the negative of the seconds until there is one more.
        """
        if now is None:
            now = time.monotonic()
        full_in = self._full_at.get(client, now) - now
        full_in = 1 / per_second + (full_in if full_in > 0 else 0)
        # What floats lose must not be a whole request.
        if full_in > self.window_seconds + 1e-6:
            return self.window_seconds - full_in
        self._full_at[client] = now + full_in
        if len(self._full_at) > self._most:
            self._forget(now)
        return full_in

    def give_back(self, client: str, per_second: float) -> None:
        """One that was taken counts no more."""
        if client in self._full_at:
            self._full_at[client] -= 1 / per_second

    def __len__(self) -> int:
        return len(self._full_at)

    def _forget(self, now: float) -> None:
        """Those that are full; and a tenth of all, the oldest, where nearly none is."""
        self._full_at = {name: at for name, at in self._full_at.items() if at > now}
        if len(self._full_at) > 0.9 * self._most:
            oldest = list(self._full_at)[: math.ceil(self._most / 10)]
            for name in oldest:
                del self._full_at[name]
