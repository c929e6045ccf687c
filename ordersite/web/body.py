"""Receives the whole body of a request before a thread works on the request.

So a client that sends a byte and waits holds a connection, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from django.conf import settings

from orders.importing.request_body import MAX_BYTES as MAX_IMPORT_BYTES

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]

IMPORT = "/orders/import"

#: What is longer waits on disk, in the system's folder for temporary files.
MEMORY_BYTES = 64 * 1024
#: Of all bodies that wait on disk at the same time.
MAX_DISK_BYTES = 4 * 1024**3

#: A disk may be slow; the event loop does not wait for it.
_disk = ThreadPoolExecutor(1, thread_name_prefix="body")


class HungUp(Exception):
    """The client hung up before its body's end, so there is no one to answer."""


class DiskIsFull(Exception):
    """As much waits on disk as may."""


def most_bytes(path: str) -> int:
    """How long a body may be at this address."""
    most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return MAX_IMPORT_BYTES if path == IMPORT else most


class Bodies:
    """Takes bodies, and counts what of them is on disk."""

    def __init__(self, max_disk_bytes: int = MAX_DISK_BYTES) -> None:
        self._max_disk_bytes = max_disk_bytes
        self._disk_bytes = 0

    async def take(self, receive: Receive) -> Body:
        """Read to the body's end.

        Raises:
            HungUp: there was none.
            DiskIsFull: see there.
        """
        body = Body(self)
        try:
            while await body.add(await receive()):
                pass
        except BaseException:
            body.close()
            raise
        return body

    def claim(self, count: int) -> None:
        """Raises DiskIsFull: that many bytes more are too many."""
        if self._disk_bytes + count > self._max_disk_bytes:
            raise DiskIsFull
        self._disk_bytes += count

    def release(self, count: int) -> None:
        self._disk_bytes -= count


class Body:
    """One body. Its file is read from the beginning once all of it has come."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._on_disk_bytes = 0
        self._bytes = 0
        self.file: IO[bytes] = SpooledTemporaryFile(MEMORY_BYTES)  # type: ignore[assignment]  # noqa: SIM115

    async def add(self, event: Event) -> bool:
        """Keep what came; whether more follows."""
        if event["type"] == "http.disconnect":
            raise HungUp
        await self._write(event.get("body", b""))
        if event.get("more_body", False):
            return True
        self.file.seek(0)
        return False

    async def _write(self, data: bytes) -> None:
        self._bytes += len(data)
        if self._bytes <= MEMORY_BYTES:
            self.file.write(data)
            return
        new = self._bytes - self._on_disk_bytes
        self._bodies.claim(new)
        self._on_disk_bytes += new
        await asyncio.get_running_loop().run_in_executor(_disk, self.file.write, data)

    def close(self) -> None:
        self.file.close()
        self._bodies.release(self._on_disk_bytes)
        self._on_disk_bytes = 0
