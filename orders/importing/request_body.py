"""A request's body as a file, read as it is asked for."""

from __future__ import annotations

import io
from typing import IO, Any

from django.http import UnreadablePostError
from rest_framework.request import Request

from runtime.requests.truncated import Truncated


class RequestBody(io.RawIOBase):
    """What `io.BufferedReader` needs to find a body's lines, whatever the server's own does.

    Raises `Truncated` where the body ends too early, as half a line may be another order.
    """

    def __init__(self, stream: IO[bytes], length: int) -> None:
        self._stream = stream
        self._missing = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read(len(buffer))
        except UnreadablePostError as error:
            raise Truncated from error
        self._missing -= len(data)
        if not data and self._missing > 0:
            raise Truncated
        buffer[: len(data)] = data
        return len(data)


def buffered(stream: IO[bytes], request: Request) -> io.BufferedReader:
    """The body of the request, whose bytes come from the stream."""
    body = RequestBody(stream, int(request.META["CONTENT_LENGTH"]))
    return io.BufferedReader(body, buffer_size=64 * 1024)
