"""A message whose properties nobody can read: text that is no UTF-8, a time in the year 10^11."""

from __future__ import annotations

import struct
from typing import Any

CONTENT_TYPE = b"\xff\xfe"
HEADERS = b"\x04when" + b"T" + struct.pack(">Q", 2**62)


def publish_unreadable(channel: Any, body: bytes) -> None:
    """Publish it to `order_events` by frames made by hand: py-amqp refuses to write such."""
    properties = (
        struct.pack(">H", 0x8000 | 0x2000)
        + bytes([len(CONTENT_TYPE)])
        + CONTENT_TYPE
        + struct.pack(">I", len(HEADERS))
        + HEADERS
    )
    method = struct.pack(">HHH", 60, 40, 0) + b"\x0corder_events" + b"\x00" + b"\x00"
    header = struct.pack(">HHQ", 60, 0, len(body)) + properties
    for kind, payload in ((1, method), (2, header), (3, body)):
        frame = struct.pack(">BHI", kind, channel.channel_id, len(payload)) + payload + b"\xce"
        channel.connection.transport.write(frame)
