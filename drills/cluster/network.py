"""The network between the parts: one event loop in a thread of its own, for all proxies."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeVar

import uvloop

from drills.cluster.proxy import Proxy

Result = TypeVar("Result")

ANSWER_SECONDS = 10


class Network:
    """Every connection of a drill goes through one of its proxies."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="network", daemon=True)
        self._proxies: list[Proxy] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._wait_for(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ANSWER_SECONDS)
        # The garbage collector would free its handles at any later moment, in any thread.
        self._loop.close()

    def proxy(self, target_port: int) -> Proxy:
        """A new proxy in front of a port of this machine, which need not listen yet."""
        proxy = Proxy(target_port, self._loop)
        self._wait_for(proxy.listen())
        self._proxies.append(proxy)
        return proxy

    def restore(self) -> None:
        """Let everything pass everywhere."""
        for proxy in self._proxies:
            proxy.restore()

    async def _end(self) -> None:
        for proxy in self._proxies:
            proxy.close()
        # More than once: a connection that came last begins its task meanwhile.
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _wait_for(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(ANSWER_SECONDS)
