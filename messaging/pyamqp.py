"""py-amqp, made to read whatever a publisher may have sent. All that we change in it is here.

It raises at a routing key that is not UTF-8, or at a header like a timestamp in the year 10^11: out
of the event loop of whichever process reads it, and again after every reconnect, since the message
stays where it was. Every connection is read by py-amqp at times (`messaging.consuming.reading`
leaves it the first messages, those that come while it waits for an answer, and TLS), so the two
functions are replaced that everything goes through which it reads: on every way, in every process.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from amqp import abstract_channel
from amqp.serialization import PROPERTY_CLASSES, decode_properties_basic, loads
from amqp.spec import Basic

from messaging.lenient_properties import read_one_by_one
from messaging.short_string import read_short

#: Of a message that was read inside `unread_properties`.
RAW = "raw"


def read_arguments(types: str, buf: bytes, offset: int) -> tuple[list[Any], int]:
    """The arguments of a method, as `loads` reads them, but for its short strings."""
    if "s" not in types:
        values, offset = loads(types, buf, offset)
        return values, offset
    values = []
    for part in parts_of(types):
        if part == "s":
            text, offset = read_short(buf, offset)
            values.append(text)
        else:
            others, offset = loads(part, buf, offset)
            values += others
    return values, offset


@cache
def parts_of(types: str) -> list[str]:
    """`sLbss` -> `s`, `Lb`, `s`, `s`: bits share an octet as long as no other type comes."""
    return re.findall("s|[^s]+", types)


def read_properties(buf: bytes, offset: int) -> tuple[dict[str, Any], int]:
    """The properties of a message, and where they end; never raises."""
    try:
        properties, end = decode_properties_basic(buf, offset)
        return properties, end
    except Exception as error:
        return read_one_by_one(buf, offset, error), len(buf)


@contextmanager
def unread_properties() -> Iterator[None]:
    """Inside, no connection of this process decodes the properties of a message."""
    PROPERTY_CLASSES[Basic.CLASS_ID] = lambda buf, offset: ({RAW: bytes(buf[offset:])}, len(buf))
    try:
        yield
    finally:
        PROPERTY_CLASSES[Basic.CLASS_ID] = read_properties


abstract_channel.loads = read_arguments
PROPERTY_CLASSES[Basic.CLASS_ID] = read_properties
