"""Which threads answer which requests: each kind has its own, so that none waits for another.

How many run at once is bounded for each kind, and so is how many wait for that. Of those that wait
the client is next that has used least lately: one that asks for much waits for itself.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter, deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

from ordersite.web.body import Event
from ordersite.web.usage import Usage


class Busy(Exception):
    """All places are taken, and as many requests wait for them as may."""


class BusyWithOne(Exception):
    """This client has as many requests of this kind as one may have."""


class Places:
    """The threads for one kind of request. All calls come from the event loop's own thread."""

    def __init__(
        self,
        name: str,
        asked: str,
        *,
        usage: Usage,
        threads: int,
        waiting: int,
        each: int | None = None,
    ) -> None:
        """
        Args:
            asked: a regular expression of what is answered here, see `asked_for`.
            usage: what each client has used lately, here and elsewhere.
            threads: how many requests run at the same time.
            waiting: how many wait for that, at most.
            each: how many run or wait for one client address; None for no limit by address.
        """
        self._asked = re.compile(asked)
        self.usage = usage
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threads
        self._most = threads + waiting
        self._each = each or self._most
        self._taken = 0
        self._by_client: Counter[str] = Counter()
        #: By client, the oldest first; no client without one.
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def answer(self, asked: str) -> bool:
        return self._asked.match(asked) is not None

    def check(self, client: str) -> None:
        """Raises Busy or BusyWithOne: there is none for this client at the moment."""
        if self._by_client.get(client, 0) >= self._each:
            raise BusyWithOne
        if self._taken >= self._most:
            raise Busy

    @asynccontextmanager
    async def one(self, client: str) -> AsyncIterator[None]:
        """Hold a place, after the wait for it.

        Raises:
            Busy, BusyWithOne: see `check`.
        """
        self.check(client)
        self._taken += 1
        self._by_client[client] += 1
        try:
            await self._turn(client)
            try:
                yield
            finally:
                self._pass_on()
        finally:
            self._taken -= 1
            self._by_client[client] -= 1
            if not self._by_client[client]:
                del self._by_client[client]

    async def _turn(self, client: str) -> None:
        """Return when a thread is free for this client."""
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """A thread is free: it is for whoever waits and has used least lately."""
        while self._waiting:
            client = min(self._waiting, key=self.usage.seconds_of)
            turn = self._waiting[client].popleft()
            if not self._waiting[client]:
                del self._waiting[client]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


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
    kind = partial(Places, usage=Usage())
    return (
        kind("live", r"\w+ /health/(live|serving)$", threads=2, waiting=50, each=20),
        kind("health", r"\w+ /(health|metrics|pipeline)(/|$)", threads=4, waiting=20, each=10),
        kind("login", r"Basic |POST /admin/login/", threads=3, waiting=30, each=10),
        kind("staff", r"\w+ /(admin|failed-messages|static)(/|$)", threads=6, waiting=100),
        # Each is a second of Python for some thousand orders, which `POST /orders` waits for, too.
        kind("import", r"\w+ /orders/import$", threads=2, waiting=6, each=4),
        kind("stream", r"\w+ /orders/[^/]+/events$", threads=24, waiting=100),
        kind("print", r"\w+ /orders/[^/]+/(invoice|credit-note)", threads=2, waiting=30, each=8),
        # A page of many orders holds up each other thread for as long as it is put together.
        kind("list", r"(GET|HEAD) /(orders|products)$", threads=3, waiting=100),
        kind("request", r"", threads=12, waiting=200),
    )
