"""How many streams of events there may be at the same moment, in all and of one client."""

from __future__ import annotations

from collections import Counter
from threading import Lock

MOST = 16
OF_A_CLIENT = 4


class StreamPlaces:
    """Counts the streams that go on; any thread may ask."""

    def __init__(self, most: int = MOST, of_a_client: int = OF_A_CLIENT) -> None:
        self._most = most
        self._of_a_client = of_a_client
        self._taken: Counter[str] = Counter()
        self._lock = Lock()

    def take(self, client: str) -> bool:
        """Whether there was a place for one more of this client; it has it then."""
        with self._lock:
            is_free = self._taken.total() < self._most
            if not is_free or self._taken[client] >= self._of_a_client:
                return False
            self._taken[client] += 1
            return True

    def give_back(self, client: str) -> None:
        with self._lock:
            self._taken[client] -= 1
            # No longer counts those that are zero.
            self._taken += Counter()
