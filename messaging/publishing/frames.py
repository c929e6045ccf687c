"""Messages as AMQP 0-9-1 frames, written directly.

py-amqp takes some 25 µs a message to write the same bytes, which was most of what a publish cost.
https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf, sections 2.3.5 and 4.2
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from struct import Struct
from typing import Any

from messaging.adapters.py_amqp import BASIC_CLASS, encode_table
from messaging.message import Message
from messaging.short_string import short

METHOD_FRAME, HEADER_FRAME, BODY_FRAME = 1, 2, 3
#: A frame's type, channel and size; its payload and an end octet follow.
FRAME_HEADER = Struct(">BHI")
FRAME_END = b"\xce"
FRAME_OVERHEAD_BYTES = FRAME_HEADER.size + len(FRAME_END)

BASIC_PUBLISH = b"\x00\x3c\x00\x28"
BASIC_DELIVER = b"\x00\x3c\x00\x3c"

#: A content header: class, weight, body size and the flags of the properties that follow.
CONTENT_HEADER = Struct(">HHQH")
HEADER_START = Struct(">HHQ")
TIMESTAMP = Struct(">Q")
SIZE = Struct(">I")
#: Which properties there are: content-type, headers, delivery-mode, message-id, timestamp, app-id …
ALWAYS_THERE = 1 << 15 | 1 << 13 | 1 << 12 | 1 << 7 | 1 << 6 | 1 << 3
#: … and these, where a message has them.
CORRELATION_ID, TYPE, USER_ID = 1 << 10, 1 << 5, 1 << 4

#: Delivery mode 2: the broker writes the message to disk.
PERSISTENT = b"\x02"
OUR_APP_ID = "ordersite"
APP_ID = b"\x09" + OUR_APP_ID.encode()


def publish_frames(
    channel: int,
    exchange: str,
    routing_key: str,
    message: Message,
    *,
    mandatory: bool,
    frame_max_bytes: int,
    user_id: str = "",
) -> bytes:
    """The frames that publish the message: its method, its properties, and its body in pieces.

    `user_id` is whom RabbitMQ knows the connection as, which it then vouches for.

    Raises:
        ValueError: a name or a property is longer than AMQP's 255 bytes.
    """
    properties = properties_of(message, user_id)
    return frames_of(
        channel,
        exchange,
        routing_key,
        properties,
        message.body,
        mandatory=mandatory,
        frame_max_bytes=frame_max_bytes,
    )


def frames_of(
    channel: int,
    exchange: str,
    routing_key: str,
    properties: bytes,
    body: bytes,
    *,
    mandatory: bool,
    frame_max_bytes: int,
) -> bytes:
    """The frames of a message whose content header, `properties`, is written already."""
    frames = [
        publish_frame(channel, exchange, routing_key, mandatory),
        FRAME_HEADER.pack(HEADER_FRAME, channel, len(properties)),
        properties,
        FRAME_END,
    ]
    most = frame_max_bytes - FRAME_OVERHEAD_BYTES
    for start in range(0, len(body), most):
        piece = body[start : start + most]
        frames += FRAME_HEADER.pack(BODY_FRAME, channel, len(piece)), piece, FRAME_END
    return b"".join(frames)


@lru_cache(maxsize=100)
def publish_frame(channel: int, exchange: str, routing_key: str, mandatory: bool) -> bytes:
    """The method frame of a `basic.publish`; remembered, it saves an order's drain 8 %."""
    reserved = b"\x00\x00"
    names = short(exchange) + short(routing_key)
    payload = BASIC_PUBLISH + reserved + names + (b"\x01" if mandatory else b"\x00")
    return FRAME_HEADER.pack(METHOD_FRAME, channel, len(payload)) + payload + FRAME_END


def properties_of(message: Message, user_id: str = "") -> bytes:
    """The payload of the content header frame."""
    if message.others or not message.content_type:
        return unusual_properties_of(message, user_id)
    flags = ALWAYS_THERE
    correlation_id = type_ = user = b""
    if message.correlation_id:
        flags |= CORRELATION_ID
        correlation_id = short(message.correlation_id)
    if message.type:
        flags |= TYPE
        type_ = short(message.type)
    if user_id:
        flags |= USER_ID
        user = short(user_id)
    return b"".join(
        (
            CONTENT_HEADER.pack(BASIC_CLASS, 0, len(message.body), flags),
            short(message.content_type),
            table(message.headers),
            PERSISTENT,
            correlation_id,
            short(message.message_id),
            TIMESTAMP.pack(int(message.timestamp.timestamp())),
            type_,
            user,
            APP_ID,
        )
    )


def unusual_properties_of(message: Message, user_id: str = "") -> bytes:
    """The same for a message with properties of its publisher's beside ours, or without one of
    ours.
    """
    flags, values = 0, []
    for flag, value in all_properties(message, user_id):
        if value:
            flags |= 1 << flag
            values.append(value)
    start = CONTENT_HEADER.pack(BASIC_CLASS, 0, len(message.body), flags)
    return start + b"".join(values)


def all_properties(message: Message, user_id: str) -> Iterator[tuple[int, bytes]]:
    """Each property's flag and its value, empty where the message has none; in AMQP's order."""
    others: Mapping[str, Any] = message.others
    yield 15, optional(message.content_type)
    yield 14, optional(others.get("content_encoding"))
    yield 13, table(message.headers)
    yield 12, PERSISTENT
    yield 11, bytes((others["priority"],)) if "priority" in others else b""
    yield 10, optional(message.correlation_id)
    yield 9, optional(others.get("reply_to"))
    yield 7, short(message.message_id)
    yield 6, TIMESTAMP.pack(int(message.timestamp.timestamp()))
    yield 5, optional(message.type)
    yield 4, optional(user_id)
    yield 3, short(others.get("app_id", OUR_APP_ID))


def named_properties_of(message: Message, user_id: str = "") -> dict[str, Any]:
    """The same by py-amqp's names; those that a message has not are None."""
    return {
        "content_type": message.content_type or None,
        "application_headers": dict(message.headers),
        "delivery_mode": 2,
        "correlation_id": message.correlation_id or None,
        "message_id": message.message_id,
        "timestamp": int(message.timestamp.timestamp()),
        "type": message.type or None,
        "user_id": user_id or None,
        "app_id": OUR_APP_ID,
        **message.others,
    }


def optional(text: str | None) -> bytes:
    return short(text) if text else b""


def table(headers: Mapping[str, Any]) -> bytes:
    """The headers as a field table; those of most events are a few small numbers."""
    if all(type(value) is int for value in headers.values()):
        return table_of_numbers(tuple(headers.items()))
    return encode_table(headers)


@lru_cache(maxsize=1_000)
def table_of_numbers(headers: tuple[tuple[str, int], ...]) -> bytes:
    """Remembered: it saves an order's drain 9 %."""
    return encode_table(dict(headers))
