"""Callers whose time is over are found out again by one question for all of their requests.

A client that comes back after a pause may come with hundreds of requests at once. Each would ask
MongoDB for itself.
"""

from __future__ import annotations

import asyncio

from ordersite.access import bearer
from runtime.requests.caller import Caller


class Renewals:
    """The questions of one event loop."""

    def __init__(self) -> None:
        self._asked: dict[bytes, asyncio.Task[Caller]] = {}

    async def caller(self, header: bytes) -> Caller | None:
        """Whose token the header has, if it was known lately; None where it was not.

        Raises what `bearer.caller` does.
        """
        if bearer.last_caller(header) is None:
            return None
        token = bearer.token_of(header)
        asked = self._asked.get(token)
        if asked is None:
            asked = self._asked[token] = asyncio.create_task(self._ask(token))
        # Whoever hangs up, the others go on waiting.
        return await asyncio.shield(asked)

    async def _ask(self, token: bytes) -> Caller:
        digest = bearer.digest_of(token)
        try:
            return await asyncio.to_thread(bearer.found_out, token.decode("latin1"), digest)
        finally:
            del self._asked[token]
