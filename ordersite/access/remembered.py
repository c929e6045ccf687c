"""A cache of callers, so that not every request asks MongoDB."""

from __future__ import annotations

import time
from threading import Lock
from typing import NamedTuple

from runtime.requests.caller import Caller

MOST = 10_000


class Known(NamedTuple):
    caller: Caller
    #: On `time.monotonic`'s clock, as is the other one: when it is due to be found out again …
    due_at: float
    #: … and from when on it is not known any more.
    until: float


class Remembered:
    """Callers by the hash of what they sent; each for some seconds at most."""

    def __init__(self, most: int = MOST) -> None:
        self._known: dict[bytes, Known] = {}
        self._most = most
        self._lock = Lock()

    def get(self, digest: bytes) -> tuple[Caller | None, bool]:
        """Whom it was a moment ago; None where that has to be found out (again).

        And whether the one who asks is to see to it that it is found out again, while the others go
        on with what is known: true once, in the second half of the caller's time.
        """
        known = self._known.get(digest)
        now = time.monotonic()
        if known is None or now >= known.until:
            return None, False
        return known.caller, now >= known.due_at and self._is_first(digest, known)

    def _is_first(self, digest: bytes, known: Known) -> bool:
        with self._lock:
            if self._known.get(digest) is not known:
                return False
            self._known[digest] = known._replace(due_at=known.until)
            return True

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
            now = time.monotonic()
            self._known[digest] = Known(caller, now + seconds / 2, now + seconds)

    def drop(self, digest: bytes) -> None:
        """It is not a caller any more."""
        with self._lock:
            self._known.pop(digest, None)

    def forget(self) -> None:
        """Forget all of them: each caller is checked again."""
        with self._lock:
            self._known.clear()
