"""py-amqp: its connections read everything that a publisher may have sent, are written to directly,
and check of several addresses each one's certificate.

It raises at a routing key that is not UTF-8, or at a header like a timestamp in the year 10^11: out
of the event loop of the process that reads it, and again after every reconnect, since the message
stays where it was. Some other headers it writes otherwise than it has read them. Every connection
is read by py-amqp at times (`messaging.consuming.reading` leaves it the first messages, those that
come while it waits for an answer, and TLS), so those functions are replaced that everything goes
through which it reads: on every way, in every process.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from struct import Struct
from typing import Any

from amqp import abstract_channel, serialization, spec
from amqp.transport import SSLTransport, TCPTransport

from messaging.byte_array import ByteArray
from messaging.lenient_properties import read_one_by_one
from messaging.short_string import read_short
from runtime.broker_url import OF_EACH_HOST
from runtime.tried_releases import Tried

TRIED = Tried(
    "amqp",
    "==5.4.2",
    "messages are read and written by py-amqp alone, which takes longer, a routing key or property "
    "that it cannot read ends the process that reads it, and with several hosts of amqps:// none "
    "is trusted without server_name_indication",
)

#: Of a message that was read inside `unread_properties`.
RAW = "raw"

BASIC_CLASS = spec.Basic.CLASS_ID

#: How the types of two fields of a table are written, and these fields.
BYTE_ARRAY, DECIMAL = ord("x"), ord("D")
BYTE_ARRAY_FIELD, DECIMAL_FIELD = Struct(">BI"), Struct(">Bi")

_read_theirs, _write_theirs = serialization._read_item, serialization._write_item

Frame = tuple[int, int, bytes]


def install() -> None:
    """Let py-amqp read everything that comes, in this process."""
    if TRIED.is_installed:
        abstract_channel.loads = read_arguments
        serialization.PROPERTY_CLASSES[BASIC_CLASS] = read_properties
        serialization._read_item = read_field
        serialization._write_item = write_field
        SSLTransport._wrap_socket_sni = wrap_socket


# --- Connecting -------------------------------------------------------------------------------

_wrap_socket_sni = SSLTransport._wrap_socket_sni


def wrap_socket(transport: SSLTransport, sock: Any, **options: Any) -> Any:
    """Begin TLS; of several addresses each one's certificate has to be for its own host.

    kombu keeps the options of the first address for all that follow.
    """
    if options.get("server_hostname") == OF_EACH_HOST:
        options["server_hostname"] = transport.host
    return _wrap_socket_sni(transport, sock, **options)


# --- Reading ----------------------------------------------------------------------------------


def read_arguments(types: str, buf: bytes, offset: int) -> tuple[list[Any], int]:
    """The arguments of a method, as `loads` reads them, but for its short strings."""
    if "s" not in types:
        values, offset = serialization.loads(types, buf, offset)
        return values, offset
    values = []
    for part in parts_of(types):
        if part == "s":
            text, offset = read_short(buf, offset)
            values.append(text)
        else:
            others, offset = serialization.loads(part, buf, offset)
            values += others
    return values, offset


@cache
def parts_of(types: str) -> list[str]:
    """`sLbss` -> `s`, `Lb`, `s`, `s`: bits share an octet as long as no other type comes."""
    return re.findall("s|[^s]+", types)


def read_properties(buf: bytes, offset: int) -> tuple[dict[str, Any], int]:
    """The properties of a message, and where they end; never raises."""
    try:
        properties, end = serialization.decode_properties_basic(buf, offset)
        return properties, end
    except Exception as error:
        return read_one_by_one(buf, offset, error), len(buf)


def read_field(buf: bytes, offset: int) -> tuple[Any, int]:
    """A value of a table and where it ends, so that it is written as it was read.

    py-amqp takes a byte array for a text, and 1.10 for 1.1.
    """
    kind = buf[offset]
    if kind == BYTE_ARRAY:
        value, end = _read_theirs(buf, offset)
        return ByteArray(value), end
    if kind == DECIMAL:
        decimals, unscaled = DECIMAL_FIELD.unpack_from(buf, offset + 1)
        return Decimal(unscaled).scaleb(-decimals), offset + 1 + DECIMAL_FIELD.size
    value, end = _read_theirs(buf, offset)
    return value, end


@contextmanager
def unread_properties() -> Iterator[None]:
    """Inside, no connection of this process decodes the properties of a message.

    Of a message that was read there, they are the bytes under RAW alone; on py-amqp's own way they
    are decoded anyway.
    """
    if not TRIED.is_installed:
        yield
        return
    readers = serialization.PROPERTY_CLASSES
    readers[BASIC_CLASS] = lambda buf, offset: ({RAW: bytes(buf[offset:])}, len(buf))
    try:
        yield
    finally:
        readers[BASIC_CLASS] = read_properties


def may_be_read(connection: Any) -> bool:
    """Whether others may read the connection's socket; a layer of TLS has a buffer of its own."""
    return TRIED.is_installed and isinstance(connection.transport, TCPTransport)


def unread(connection: Any) -> bytes:
    """What the connection has received, and not read."""
    received: bytes = connection.transport._read_buffer
    return received


def leave_unread(connection: Any, received: bytes) -> None:
    """Let the next read find this first."""
    connection.transport._read_buffer = received


def pass_on(connection: Any, frame: Frame) -> None:
    """Let py-amqp take a frame that was read for it: its type, channel and payload."""
    connection.on_inbound_frame(frame)


def note_received(connection: Any) -> None:
    """Something came: py-amqp would take the connection for lost otherwise."""
    connection.bytes_recv += 1


# --- Writing ----------------------------------------------------------------------------------


def write(channel: Any, frames: bytes | bytearray) -> None:
    """Write frames of our own, and let py-amqp know that the connection was used: it beats else."""
    channel.connection.transport.write(frames)
    channel.connection.bytes_sent += 1


def write_field(value: Any, write: Callable[[bytes], object], bits: Any) -> None:
    """Write a value of a table, as `read_field` has read it. Raises what py-amqp does."""
    if isinstance(value, ByteArray):
        write(BYTE_ARRAY_FIELD.pack(BYTE_ARRAY, len(value)))
        write(value)
    else:
        _write_theirs(value, write, bits)


def encode_table(headers: Mapping[str, Any]) -> bytes:
    """The headers as a field table.

    Raises:
        Exception: AMQP cannot say one of them.
    """
    return bytes(serialization.dumps("F", [dict(headers)]))


def decode_table(table: bytes) -> dict[str, Any]:
    """The headers in a field table that `encode_table` made."""
    [headers], _ = serialization.loads("F", table, 0)
    return dict(headers)
