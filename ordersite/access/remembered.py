"""A cache of callers, so that not every request asks MongoDB."""

from __future__ import annotations

import time
from threading import Lock
from typing import NamedTuple

from runtime.requests.caller import Caller

MOST = 10_000


class Known(NamedTuple):
    caller: Caller
    #: On `time.monotonic`'s clock.
    until: float


class Remembered:
    """Callers by the hash of what they sent; each for some seconds at most."""

    def __init__(self, most: int = MOST) -> None:
        self._known: dict[bytes, Known] = {}
        self._most = most
        self._lock = Lock()

    def get(self, digest: bytes) -> Caller | None:
        """Whom it was a moment ago; None where that has to be found out (again)."""
        known = self._known.get(digest)
        return known.caller if known and time.monotonic() < known.until else None

    def last(self, digest: bytes, within_seconds: float) -> Caller | None:
        """Whom it was when that was last found out, if that is not too long ago."""
        known = self._known.get(digest)
        return known.caller if known and time.monotonic() < known.until + within_seconds else None

    def keep(self, digest: bytes, caller: Caller, seconds: float) -> None:
        """Remember the caller for so long; the one that was kept first makes place."""
        with self._lock:
            self._known.pop(digest, None)
            if len(self._known) >= self._most:
                del self._known[next(iter(self._known))]
            self._known[digest] = Known(caller, time.monotonic() + seconds)

    def forget(self) -> None:
        """Forget all of them: each caller is checked again."""
        with self._lock:
            self._known.clear()
