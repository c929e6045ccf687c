"""The AMQP properties of a message that py-amqp cannot read: each that can be read is kept.

https://www.rabbitmq.com/amqp-0-9-1-errata#section_3 lists the types of a field table.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from amqp import Message
from amqp.exceptions import FrameSyntaxError

from messaging.byte_array import ByteArray
from messaging.short_string import is_readable, read_short, readable
from messaging.storable import DEPTH_LIMIT

#: Beside the properties that were read: what is wrong with the others of the message.
UNREADABLE = "unreadable"

FIRST_FLAG = 15

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
            flags = self._number(">H")
            for index, (name, kind) in enumerate(Message.PROPERTIES):
                if flags & 1 << FIRST_FLAG - index:
                    properties[name] = self._property(name, kind)
        except ERRORS:
            self._note("they end too early")
        return properties

    def _property(self, name: str, kind: str) -> Any:
        if kind == "F":
            return self._table("headers", 0)
        return self._text(name) if kind == "s" else self._number(NUMBERS[kind])

    def _text(self, name: str) -> str:
        text, self._at = read_short(self._buf, self._at)
        if not is_readable(text):
            self._note(f"{name} is not UTF-8")
        return text

    def _number(self, layout: str) -> int:
        return int(self._scalar(layout))

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
        size_bytes = self._number(">I")
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
        kind = chr(self._buf[self._at])
        self._at += 1
        match kind:
            case "F":
                return self._table(name, depth + 1)
            case "A":
                return self._array(name, depth + 1)
            case "T":
                return self._timestamp(name)
            case "S" | "x":
                return self._long_string(kind)
            case "D":
                decimals = self._number(">B")
                return Decimal(self._number(">i")).scaleb(-decimals)
            case "V":
                return None
        if kind not in LAYOUTS:
            raise FrameSyntaxError(f"{kind!r} is not a type of a field")
        return self._scalar(LAYOUTS[kind])

    def _scalar(self, layout: str) -> Any:
        (value,) = struct.unpack_from(layout, self._buf, self._at)
        self._at += struct.calcsize(layout)
        return value

    def _long_string(self, kind: str) -> str | bytes:
        """Bytes for a byte array, and for what is not UTF-8; a lone surrogate is, as to py-amqp."""
        size_bytes = self._number(">I")
        value = self._buf[self._at : self._at + size_bytes]
        self._at += size_bytes
        try:
            return ByteArray(value) if kind == "x" else value.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return value

    def _timestamp(self, name: str) -> datetime | int:
        """The time as py-amqp gives it; the number where no calendar has it."""
        seconds = self._number(">Q")
        try:
            return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
        except (ValueError, OverflowError, OSError):
            self._note(f"{name} is not a time in seconds: {seconds}")
            return seconds

    def _note(self, problem: str) -> None:
        self.problems[problem] = None


#: How `Message.PROPERTIES` calls a number -> its layout.
NUMBERS = {"o": ">B", "L": ">Q"}

#: How a field's type is written -> its layout, as RabbitMQ writes it.
LAYOUTS = {"t": ">?", "b": ">b", "B": ">B", "s": ">h", "U": ">h", "u": ">H"} | {
    "I": ">i",
    "i": ">I",
    "L": ">q",
    "l": ">q",
    "f": ">f",
    "d": ">d",
}
