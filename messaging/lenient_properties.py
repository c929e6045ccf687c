"""The AMQP properties of a message that py-amqp cannot read: each that can be read is kept.

https://www.rabbitmq.com/amqp-0-9-1-errata#section_3 lists the types of a field table.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from amqp import Message
from amqp.exceptions import FrameSyntaxError
from amqp.serialization import _read_item

from messaging.plain import DEPTH_LIMIT
from messaging.short_string import is_readable, read_short, readable

#: Stands beside the properties that were read, and tells what is wrong with the message's others.
UNREADABLE = "unreadable"

FIRST_FLAG = 15
TABLE, ARRAY, TIMESTAMP = b"FAT"

#: Whatever bytes may be missing or wrong.
ERRORS = (struct.error, IndexError, FrameSyntaxError)


def read_one_by_one(buf: bytes, offset: int, error: Exception) -> dict[str, Any]:
    """What can be read of the properties at the offset, and under UNREADABLE what cannot.

    Args:
        error: why they cannot be read in one go.
    """
    reader = Reader(buf, offset)
    properties = reader.properties()
    problems = reader.problems or {f"{type(error).__name__}: {error}": None}
    return {**properties, UNREADABLE: "; ".join(problems)}


class Reader:
    """Reads on where something is wrong."""

    def __init__(self, buf: bytes, offset: int) -> None:
        self._buf = buf
        self._at = offset
        #: In words, each once, in the order in which they were met.
        self.problems: dict[str, None] = {}

    def properties(self) -> dict[str, Any]:
        properties: dict[str, Any] = {}
        try:
            flags = self._number(">H", 2)
            for index, (name, kind) in enumerate(Message.PROPERTIES):
                if flags & 1 << FIRST_FLAG - index:
                    properties[name] = self._property(name, kind)
        except ERRORS:
            self._note("they end too early")
        return properties

    def _property(self, name: str, kind: str) -> Any:
        if kind == "F":
            return self._table("headers", 0)
        return self._text(name) if kind == "s" else self._number(*NUMBERS[kind])

    def _text(self, name: str) -> str:
        text, self._at = read_short(self._buf, self._at)
        if not is_readable(text):
            self._note(f"{name} is not UTF-8")
        return text

    def _number(self, layout: str, size_bytes: int) -> int:
        (number,) = struct.unpack_from(layout, self._buf, self._at)
        self._at += size_bytes
        return int(number)

    def _table(self, name: str, depth: int) -> dict[str, Any]:
        table: dict[str, Any] = {}

        def read_field() -> None:
            key, self._at = read_short(self._buf, self._at)
            place = key if depth == 0 else name
            table[key] = self._value(f"header {readable(place)}", depth)

        self._until_end(read_field, name, depth)
        return table

    def _array(self, name: str, depth: int) -> list[Any]:
        array: list[Any] = []
        self._until_end(lambda: array.append(self._value(name, depth)), name, depth)
        return array

    def _until_end(self, read_next: Callable[[], None], name: str, depth: int) -> None:
        """Read what is in a table or array; whatever is in it, what comes after it is found."""
        size_bytes = self._number(">I", 4)
        end = self._at + size_bytes
        try:
            if depth > DEPTH_LIMIT:
                self._note(f"{name} is nested too deeply")
            else:
                while self._at < end:
                    read_next()
        except ERRORS:
            self._note(f"{name} end with what is not a field")
        self._at = end

    def _value(self, name: str, depth: int) -> Any:
        kind = self._buf[self._at]
        if kind not in (TABLE, ARRAY, TIMESTAMP):
            value, self._at = _read_item(self._buf, self._at)
            return value
        self._at += 1
        if kind == TIMESTAMP:
            return self._timestamp(name)
        return self._table(name, depth + 1) if kind == TABLE else self._array(name, depth + 1)

    def _timestamp(self, name: str) -> datetime | int:
        """The time as py-amqp gives it; the number where no calendar has it."""
        seconds = self._number(">Q", 8)
        try:
            return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
        except (ValueError, OverflowError, OSError):
            self._note(f"{name} is not a time in seconds: {seconds}")
            return seconds

    def _note(self, problem: str) -> None:
        self.problems[problem] = None


#: How `Message.PROPERTIES` calls a number -> its layout and size in bytes.
NUMBERS = {"o": (">B", 1), "L": (">Q", 8)}
