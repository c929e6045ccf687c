"""A request's body as a file, read as it is asked for."""

from __future__ import annotations

import io
from typing import IO, Any

from django.http import UnreadablePostError
from rest_framework.request import Request

from runtime.requests.problem_types import BODY_TOO_LARGE
from runtime.requests.refusal import Fault, Refusal
from runtime.requests.truncated import Truncated

#: Of one import; the web server takes no longer body.
MAX_BYTES = 256 * 1024 * 1024
#: Many more than its orders may need, and no more than are read in some seconds.
MAX_LINES = 1_000_000
#: A spreadsheet's end; more only keep the server busy.
MAX_BLANK_LINES = 10_000

TOO_MANY_LINES = Fault(
    field="body",
    detail=f"must have at most {MAX_LINES:,} lines",
    fix="Split it between two orders.",
)
TOO_MANY_BLANK_LINES = Fault(
    field="body",
    detail=f"must have at most {MAX_BLANK_LINES:,} blank lines",
    fix="Leave them out.",
)


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


class BoundedLines:
    """A stream of at most `MAX_LINES` lines, and `MAX_BLANK_LINES` blank ones."""

    def __init__(self, stream: io.BufferedReader, title: str) -> None:
        self._stream = stream
        self._title = title
        self._missing = MAX_LINES
        self._blank_missing = MAX_BLANK_LINES

    def readline(self, size: int, /) -> bytes:
        """Raises Refusal: there are more lines."""
        if not self._missing:
            raise Refusal(self._title, [TOO_MANY_LINES], BODY_TOO_LARGE)
        self._missing -= 1
        line = self._stream.readline(size)
        if line.isspace():
            if not self._blank_missing:
                raise Refusal(self._title, [TOO_MANY_BLANK_LINES], BODY_TOO_LARGE)
            self._blank_missing -= 1
        return line


def lines_of(stream: IO[bytes], request: Request, title: str) -> BoundedLines:
    """The body of the request, whose bytes come from the stream; `title` is of a refusal."""
    body = RequestBody(stream, int(request.META["CONTENT_LENGTH"]))
    return BoundedLines(io.BufferedReader(body, buffer_size=64 * 1024), title)
