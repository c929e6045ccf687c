"""HTTP to an address that somebody else chose: only to one that was checked, and within a time.

The addresses that a name stands for are all checked, and one of these is connected to, so that the
name cannot stand for another one in between (DNS rebinding). No redirect is followed: the address
that it names was checked by nobody.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse
from ipaddress import ip_address
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from runtime.address_kinds import Address

#: Why nothing is sent to this address, which the host stands for; empty where it may be.
FaultOf = Callable[[Address, str], str]

MOST_ANSWER_BYTES = 4096
#: At a time: a record of TLS.
MOST_SENT_BYTES = 16_384


class NotAsked(OSError):
    """Nothing was sent; the text says why."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    #: Its first bytes.
    body: bytes
    #: The header field, as it came; None where there is none.
    retry_after: str | None


class CheckedConnection(HTTPConnection):
    """One request to a URL, all of it within `seconds`."""

    def __init__(self, url: str, seconds: float, fault_of: FaultOf) -> None:
        """Raises NotAsked: the URL is not one of http or https."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NotAsked(f"{parts.scheme or 'nothing'} is neither http nor https")
        self._has_tls = parts.scheme == "https"
        self.default_port = 443 if self._has_tls else 80
        super().__init__(parts.hostname, parts.port or self.default_port, timeout=seconds)
        self._target = parts.path or "/"
        if parts.query:
            self._target += f"?{parts.query}"
        self._ends_at = time.monotonic() + seconds
        self._fault_of = fault_of

    def connect(self) -> None:
        sock = self._connected(self._addresses())
        try:
            if self._has_tls:
                sock.settimeout(left_until(self._ends_at))
                context = ssl.create_default_context()
                sock = context.wrap_socket(sock, server_hostname=self.host)
        except BaseException:
            sock.close()
            raise
        self.sock: Any = TimedSocket(sock, self._ends_at)

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send the body, and read the answer as far as it is kept.

        Raises:
            NotAsked: nothing was sent.
            OSError, http.client.HTTPException: there was no whole answer in time.
        """
        try:
            self.request("POST", self._target, body, {**headers, "Connection": "close"})
            response = self.getresponse()
            body = read_some(response)
            return Answer(response.status, body, response.getheader("Retry-After"))
        finally:
            self.close()

    def _connected(self, addresses: list[str]) -> socket.socket:
        """To the first of the addresses that takes the connection; each but the last has half of
        what is left of the time.
        """
        for address in addresses[:-1]:
            seconds = left_until(self._ends_at) / 2
            with suppress(OSError):
                return socket.create_connection((address, self.port), seconds)
        return socket.create_connection((addresses[-1], self.port), left_until(self._ends_at))

    def _addresses(self) -> list[str]:
        """What the name stands for.

        Raises:
            NotAsked: nothing is sent to one of these addresses.
        """
        try:
            found = looked_up(self.host, self.port, left_until(self._ends_at))
        except UnicodeError as error:
            raise NotAsked("the host is not a name that can be looked up") from error
        addresses = [ip_address(str(each[4][0]).partition("%")[0]) for each in found]
        for address in addresses:
            if reason := self._fault_of(address, self.host):
                raise NotAsked(f"{self.host} is {address}, {reason}")
        return [str(each) for each in dict.fromkeys(addresses)]


def looked_up(host: str, port: int, seconds: float) -> list[Any]:
    """What `getaddrinfo` finds for TCP; the resolver has no limit that a program could set.

    It looks in a thread of its own, which is left to it where it takes longer.

    Raises:
        NotAsked: nothing is known in time.
        OSError, UnicodeError: there is no such name, or it cannot be one.
    """
    found: Future[list[Any]] = Future()

    def look() -> None:
        try:
            found.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:
            found.set_exception(error)

    Thread(target=look, name="looked-up", daemon=True).start()
    try:
        return found.result(seconds)
    except TimeoutError:
        raise NotAsked(f"{host} could not be looked up in time") from None


def read_some(response: HTTPResponse) -> bytes:
    """The first bytes of the answer; nobody waits for the rest."""
    read = b""
    while len(read) < MOST_ANSWER_BYTES:
        more = response.read1(MOST_ANSWER_BYTES - len(read))
        if not more:
            break
        read += more
    return read


class TimedSocket:
    """What http.client needs of a socket, with one end for all that is sent and read."""

    def __init__(self, sock: socket.socket, ends_at: float) -> None:
        self._sock = sock
        self._ends_at = ends_at

    def sendall(self, data: bytes) -> None:
        # Not the socket's own: over TLS it gives each piece the whole time anew.
        left = memoryview(data)
        while left:
            self._sock.settimeout(left_until(self._ends_at))
            left = left[self._sock.send(left[:MOST_SENT_BYTES]) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        raw = self._sock.makefile(mode, buffering=0)  # type: ignore[call-overload]
        return io.BufferedReader(TimedReader(self._sock, raw, self._ends_at))

    def close(self) -> None:
        self._sock.close()


class TimedReader(io.RawIOBase):
    """Each read has what is left of the time: a peer that sends a byte a second gains none."""

    def __init__(self, sock: socket.socket, raw: Any, ends_at: float) -> None:
        self._sock = sock
        self._raw = raw
        self._ends_at = ends_at

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(left_until(self._ends_at))
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def left_until(ends_at: float) -> float:
    """The seconds until then, on `time.monotonic`'s clock. Raises TimeoutError: it has passed."""
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left
