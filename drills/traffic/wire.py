"""Messages by frames made by hand: py-amqp refuses to write what a hostile client sends.

AMQP 0-9-1, section 4.2.6.1: the content header.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import amqp
from amqp import spec
from amqp.serialization import dumps

CONFIRM_SECONDS = 60
FIRST_FLAG = 15
FRAME_OVERHEAD_BYTES = 8


def properties_of(
    properties: Mapping[str, Any], headers: Mapping[Any, Any], fields: bytes
) -> bytes:
    """The property flags and the properties, as bytes.

    Args:
        properties: by py-amqp's names; text that is given as bytes is written as it is.
        headers: what py-amqp can write.
        fields: what it cannot: more fields of the table of headers, as bytes.
    """
    table = dumps("F", [headers])[4:] + fields
    given = {**properties, **({"application_headers": table} if table else {})}
    flags, written = 0, b""
    for index, (name, kind) in enumerate(amqp.Message.PROPERTIES):
        if name in given:
            flags |= 1 << FIRST_FLAG - index
            # A table has its length before it, as a long string has.
            written += dumps("S" if kind == "F" else kind, [given[name]])
    return struct.pack(">H", flags) + written


def publish(
    channel: amqp.Channel, exchange: bytes, routing_key: bytes, properties: bytes, body: bytes
) -> None:
    """Publish, and wait until RabbitMQ has taken the message; the channel confirms."""
    method = struct.pack(">HHH", 60, 40, 0) + short(exchange) + short(routing_key) + b"\x00"
    header = struct.pack(">HHQ", 60, 0, len(body)) + properties
    most = channel.connection.frame_max - FRAME_OVERHEAD_BYTES
    pieces = [body[start : start + most] for start in range(0, len(body), most)]
    for kind, payload in ((1, method), (2, header), *((3, piece) for piece in pieces)):
        frame = struct.pack(">BHI", kind, channel.channel_id, len(payload)) + payload + b"\xce"
        channel.connection.transport.write(frame)
    channel.wait(spec.Basic.Ack, timeout=CONFIRM_SECONDS)


def short(text: bytes) -> bytes:
    return bytes([len(text)]) + text
