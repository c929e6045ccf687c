"""How much of this process' computing each client has used lately."""

from __future__ import annotations

import time
from typing import NamedTuple

#: So long ago counts half.
HALF_LIFE_SECONDS = 5.0
#: Of how many clients it is kept; beyond that those are forgotten that have used least.
MOST_CLIENTS = 10_000


class Used(NamedTuple):
    """Seconds of CPU, as they counted at that moment."""

    seconds: float
    at: float


class Usage:
    """Of all clients, each by its name; all calls come from one thread."""

    def __init__(self) -> None:
        self._by_client: dict[str, Used] = {}

    def add(self, client: str, seconds: float) -> None:
        """The client has used so many seconds of CPU."""
        self._by_client[client] = Used(self.seconds_of(client) + seconds, time.monotonic())
        if len(self._by_client) > MOST_CLIENTS:
            self._forget()

    def seconds_of(self, client: str) -> float:
        """What the client has used; the longer ago, the less it counts."""
        used = self._by_client.get(client)
        if used is None:
            return 0.0
        return used.seconds * 0.5 ** ((time.monotonic() - used.at) / HALF_LIFE_SECONDS)

    def _forget(self) -> None:
        by_use = sorted(self._by_client, key=self.seconds_of, reverse=True)
        self._by_client = {name: self._by_client[name] for name in by_use[: MOST_CLIENTS // 2]}
