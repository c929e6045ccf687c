"""A request's body as a file, read as it is asked for."""

from __future__ import annotations

import io
from typing import IO, Any


class RequestBody(io.RawIOBase):
    """What `io.BufferedReader` needs to find a body's lines, whatever the server's own does."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def buffered(stream: IO[bytes]) -> io.BufferedReader:
    return io.BufferedReader(RequestBody(stream), buffer_size=64 * 1024)
