"""The lines of a stream, one in memory at a time, however long it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from orders.requests.order_request import MAX_BODY_BYTES
from runtime.requests.refusal import Fault

#: What Excel and others put in front of UTF-8.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

TOO_LONG = Fault(
    field="line",
    detail=f"must have at most {MAX_BODY_BYTES} bytes",
    fix="End each line with a line feed; split a larger order.",
)


class Stream(Protocol):
    def readline(self, size: int, /) -> bytes: ...


def numbered_lines(stream: Stream) -> Iterator[tuple[int, bytes | None]]:
    """Each line that is not blank with its number, from 1; None for one that is too long."""
    number = 0
    while line := stream.readline(MAX_BODY_BYTES + 1):
        number += 1
        is_too_long = len(line) > MAX_BODY_BYTES and not line.endswith(b"\n")
        if is_too_long:
            skip_line(stream)
            yield number, None
            continue
        if number == 1:
            line = line.removeprefix(BYTE_ORDER_MARK)
        if line.strip():
            # A tab at the end may stand before an empty value.
            yield number, line.strip(b" \r\n")


def skip_line(stream: Stream) -> None:
    """Read up to the next line feed, and keep nothing."""
    while (rest := stream.readline(MAX_BODY_BYTES)) and not rest.endswith(b"\n"):
        pass
