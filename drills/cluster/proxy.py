"""A TCP proxy between two parts, which can do what networks do."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Collection
from contextlib import suppress
from enum import StrEnum

CHUNK_BYTES = 64 * 1024
POLL_SECONDS = 0.02

#: SO_LINGER with no time to linger: closing sends a reset. socket(7)
RESET = struct.pack("ii", 1, 0)

#: What a connection that has ended raises: uvloop has its own words for it.
GONE = (OSError, RuntimeError, ValueError)


class Direction(StrEnum):
    """Which way bytes go."""

    TO_SERVER = "to the server"
    TO_CLIENT = "to the client"


BOTH = tuple(Direction)


class Link:
    """One client's connection, and ours to the server behind it."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self._writers = (client, server)
        #: The first bytes that the client sent.
        self.greeting = b""
        #: The directions in which bytes were lost: no TCP connection goes on after that.
        self.lost: set[Direction] = set()
        self.is_reset = False

    def reset(self) -> None:
        """End both sides with a reset."""
        self.is_reset = True
        for writer in self._writers:
            # One that has ended already has no socket any more.
            if end := writer.get_extra_info("socket"):
                with suppress(*GONE):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()

    def close(self) -> None:
        for writer in self._writers:
            writer.close()


class Proxy:
    """Listens on a free port and passes everything on to `target_port`, unless told otherwise.

    Its faults last until `restore`; any thread may call them. They are everybody's, unless `only`
    names a client.
    """

    def __init__(self, target_port: int, loop: asyncio.AbstractEventLoop) -> None:
        self.target_port = target_port
        #: Where clients connect to.
        self.port = 0
        self._loop = loop
        self._links: set[Link] = set()
        #: How many times a fault did something to a connection.
        self.hits = 0
        self._client = b""
        self._is_cut = False
        self._held: frozenset[Direction] = frozenset()
        self._swallowed: frozenset[Direction] = frozenset()
        self._delays_seconds: dict[Direction, float] = {}

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Take no more connections, in the network's own thread."""
        self._server.close()

    @property
    def connections(self) -> int:
        """How many there are now."""
        return len(self._links)

    def only(self, client: str) -> None:
        """Until `restore`, do it to those alone whose first bytes have this text, ended by zero.

        So MongoDB's clients tell their `appName`, as a BSON string.
        https://github.com/mongodb/specifications/blob/master/source/mongodb-handshake/handshake.md
        """
        self._client = client.encode() + b"\0"

    def cut(self) -> None:
        """Reset every connection, and each new one."""
        self._is_cut = True
        self.reset()

    def reset(self) -> None:
        """Reset the connections that there are; new ones pass."""
        self._loop.call_soon_threadsafe(self._reset_all)

    def hold(self, directions: Collection[Direction] = BOTH) -> None:
        """Let no byte pass until `restore`: packets are lost, and TCP sends them again later."""
        self._held = frozenset(directions)

    def swallow(self, directions: Collection[Direction] = BOTH) -> None:
        """Lose what is sent, so that the connection is half open.

        Connections stay open and new ones are accepted, but their bytes go nowhere; a connection
        that lost some is silent for ever, as behind a firewall that has forgotten it.
        """
        self._swallowed = frozenset(directions)

    def slow(self, seconds: float, directions: Collection[Direction] = BOTH) -> None:
        """Pass on each chunk so much later."""
        self._delays_seconds = dict.fromkeys(directions, seconds)

    def restore(self) -> None:
        """Let everything pass again."""
        self._is_cut = False
        self._held = self._swallowed = frozenset()
        self._delays_seconds = {}
        # Last: until then the faults above are one client's.
        self._client = b""

    def _reset_all(self) -> None:
        for link in [*self._links]:
            if self._is_meant(link):
                self._reset(link)

    def _reset(self, link: Link) -> None:
        self.hits += 1
        link.reset()

    def _is_meant(self, link: Link) -> bool:
        return self._client in link.greeting

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut and not self._client:
            self._reset(Link(writer, writer))
            return
        try:
            from_server, server = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            Link(writer, writer).reset()
            return
        link = Link(writer, server)
        self._links.add(link)
        try:
            # So the network ends; asyncio would print a traceback for each connection.
            with suppress(asyncio.CancelledError):
                await asyncio.gather(
                    self._pass_on(link, Direction.TO_SERVER, reader, server),
                    self._pass_on(link, Direction.TO_CLIENT, from_server, writer),
                )
        finally:
            self._links.discard(link)
            link.close()

    async def _pass_on(
        self,
        link: Link,
        direction: Direction,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        with suppress(*GONE):
            while data := await reader.read(CHUNK_BYTES):
                if direction == Direction.TO_SERVER:
                    link.greeting = link.greeting or data
                if self._is_meant(link):
                    await self._break(link, direction)
                if link.is_reset:
                    return
                if direction not in link.lost:
                    writer.write(data)
                    await writer.drain()
        # That the other side closed is lost like everything else.
        if direction not in link.lost:
            writer.close()

    async def _break(self, link: Link, direction: Direction) -> None:
        """Do to what has come over the connection whatever the fault does."""
        if self._is_cut:
            self._reset(link)
        if delay_seconds := self._delays_seconds.get(direction):
            self.hits += 1
            await asyncio.sleep(delay_seconds)
        if direction in self._held:
            self.hits += 1
        while direction in self._held:
            await asyncio.sleep(POLL_SECONDS)
        if direction in self._swallowed:
            self.hits += 1
            link.lost.add(direction)
