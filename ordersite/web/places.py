"""Which threads answer which requests: each kind has its own, so that none waits for another.

How many run at once is bounded for each kind, and so is how many wait for that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from ordersite.web.body import Event


class Busy(Exception):
    """All places are taken, and as many requests wait for them as may."""


class BusyWithOne(Exception):
    """This client has as many requests of this kind as one may have."""


class Places:
    """The threads for one kind of request. All calls come from the event loop's own thread."""

    def __init__(
        self, name: str, asked: str, *, threads: int, waiting: int, each: int | None = None
    ) -> None:
        """
        Args:
            asked: a regular expression of what is answered here, see `asked_for`.
            threads: how many requests run at the same time.
            waiting: how many wait for that, at most.
            each: how many run or wait for one client address; None for no limit by address.
        """
        self._asked = re.compile(asked)
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = threads + waiting
        self._each = each or self._most
        self._taken = 0
        self._by_client: Counter[str] = Counter()

    def answer(self, asked: str) -> bool:
        return self._asked.match(asked) is not None

    def check(self, client: str) -> None:
        """Raises Busy or BusyWithOne: there is none for this client at the moment."""
        if self._by_client.get(client, 0) >= self._each:
            raise BusyWithOne
        if self._taken >= self._most:
            raise Busy

    @contextmanager
    def one(self, client: str) -> Iterator[None]:
        """Hold a place, or one among those that wait.

        Raises:
            Busy, BusyWithOne: see `check`.
        """
        self.check(client)
        self._taken += 1
        self._by_client[client] += 1
        try:
            yield
        finally:
            self._taken -= 1
            self._by_client[client] -= 1
            if not self._by_client[client]:
                del self._by_client[client]


def asked_for(scope: Event) -> str:
    """`POST /orders`; with `Basic` before it where it brings a password, which takes its time."""
    has_password = any(
        name == b"authorization" and value[:6].lower() == b"basic "
        for name, value in scope["headers"]
    )
    asked = f"{scope['method']} {scope['path']}"
    return f"Basic {asked}" if has_password else asked


def all_places() -> tuple[Places, ...]:
    """For every request; the first whose expression fits."""
    return (
        Places("live", r"\w+ /health/(live|serving)$", threads=2, waiting=50, each=20),
        Places("health", r"\w+ /(health|metrics|pipeline)(/|$)", threads=4, waiting=20, each=10),
        Places("login", r"Basic |POST /admin/login/", threads=3, waiting=30, each=10),
        Places("staff", r"\w+ /(admin|failed-messages|static)(/|$)", threads=6, waiting=100),
        # Each is a second of Python for some thousand orders, which `POST /orders` waits for, too.
        Places("import", r"\w+ /orders/import$", threads=2, waiting=6, each=4),
        Places("stream", r"\w+ /orders/[^/]+/events$", threads=24, waiting=100),
        Places("print", r"\w+ /orders/[^/]+/(invoice|credit-note)", threads=2, waiting=30, each=8),
        Places("request", r"", threads=12, waiting=200),
    )
