"""Reads all that has arrived on a connection at once, and passes deliveries on directly.

py-amqp reads a frame with several small reads and takes each delivery through several layers, and
Celery's event loop takes one cycle for each message. Under load that is most of the work of a
worker's main process, so here one cycle takes whatever the socket has, and a delivery goes straight
to its consumer. Every other frame is py-amqp's.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from struct import Struct
from typing import Any, NamedTuple

from messaging.adapters import py_amqp
from messaging.adapters.py_amqp import Frame
from messaging.incoming import RawMessage
from messaging.publishing.frames import (
    BASIC_DELIVER,
    BODY_FRAME,
    FRAME_END,
    FRAME_HEADER,
    HEADER_FRAME,
    METHOD_FRAME,
)
from messaging.short_string import read_short

#: Bounds what one cycle of the event loop does before it serves others.
READ_BYTES = 64 * 1024

#: In a delivery: its tag, and whether it is a redelivery.
DELIVERY_TAG = Struct(">QB")
#: In a content header: class, weight, and the body's size; its properties follow.
CONTENT_HEADER = Struct(">HHQ")

OnMessage = Callable[[RawMessage], None]


class Arrived(NamedTuple):
    """A delivery in the form in which py-amqp passes one on."""

    properties: dict[str, Any]
    body: bytes
    delivery_tag: int
    delivery_info: dict[str, Any]


def read_in_bulk(channel: Any, hub: Any, on_message: OnMessage) -> None:
    """Let the event loop `hub` read the channel's connection in bulk, and pass on its deliveries.

    A connection over TLS is left as it is, and so is one of a py-amqp that this was not tried with.
    """
    connection = channel.connection
    if py_amqp.may_be_read(connection):
        hub.add_reader(connection.sock, BulkReader(channel, on_message).read)


class BulkReader:
    """Reads the connection of one channel, on which one client consumes."""

    def __init__(self, channel: Any, on_message: OnMessage) -> None:
        self._channel = channel
        self._connection = channel.connection
        self._on_message = on_message
        #: Of the delivery that is being taken, as kombu has it; None between two.
        self._delivery_info: dict[str, Any] | None = None
        self._frames: list[Frame] = []
        self._properties: dict[str, Any] = {}
        self._body = b""
        self._missing_bytes = 0

    def read(self) -> None:
        """Take what has arrived; the event loop calls this as long as the socket has more.

        Raises:
            OSError: the connection is lost.
        """
        unread = py_amqp.unread(self._connection)
        # A large delivery is read in ever larger pieces, as each reads all before it again.
        most_bytes = max(READ_BYTES, len(unread))
        try:
            received = self._connection.sock.recv(most_bytes, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        if not received:
            raise ConnectionResetError("RabbitMQ closed the connection")
        py_amqp.note_received(self._connection)
        frames, rest = split(unread + received)
        # What a handler of a frame reads by itself comes after these frames.
        py_amqp.leave_unread(self._connection, rest)
        for frame in frames:
            self._take(*frame)
        if self._frames:
            self._give_back()

    def _give_back(self) -> None:
        """Leave a part of a delivery to the next reader, which may be py-amqp itself."""
        begun = b"".join(
            FRAME_HEADER.pack(kind, channel, len(payload)) + payload + FRAME_END
            for kind, channel, payload in self._frames
        )
        py_amqp.leave_unread(self._connection, begun + py_amqp.unread(self._connection))
        self._delivery_info = None
        self._frames.clear()

    def _take(self, kind: int, channel: int, payload: bytes) -> None:
        if channel == self._channel.channel_id and self._is_of_delivery(kind, payload):
            self._frames.append((kind, channel, payload))
            self._take_of_delivery(kind, payload)
        else:
            py_amqp.pass_on(self._connection, (kind, channel, payload))

    def _is_of_delivery(self, kind: int, payload: bytes) -> bool:
        if kind == METHOD_FRAME:
            return payload.startswith(BASIC_DELIVER)
        return self._delivery_info is not None

    def _take_of_delivery(self, kind: int, payload: bytes) -> None:
        if kind == METHOD_FRAME:
            self._delivery_info = delivery_info_of(payload)
            return
        if kind == HEADER_FRAME:
            _, _, self._missing_bytes = CONTENT_HEADER.unpack_from(payload)
            self._properties, _ = py_amqp.read_properties(payload, CONTENT_HEADER.size)
            self._body = b""
        elif kind == BODY_FRAME:
            self._missing_bytes -= len(payload)
            self._body = self._body + payload if self._body else payload
        if self._missing_bytes <= 0:
            self._deliver()

    def _deliver(self) -> None:
        delivery_info, self._delivery_info = self._delivery_info, None
        self._frames.clear()
        assert delivery_info is not None
        if delivery_info["consumer_tag"] in self._channel.callbacks:
            arrived = Arrived(
                self._properties, self._body, delivery_info["delivery_tag"], delivery_info
            )
            self._on_message(RawMessage(arrived, self._channel))
        else:
            # The consumer was cancelled meanwhile.
            self._channel.basic_reject(delivery_info["delivery_tag"], requeue=True)


def delivery_info_of(payload: bytes) -> dict[str, Any]:
    """The arguments of a `basic.deliver`."""
    consumer_tag, offset = read_short(payload, len(BASIC_DELIVER))
    delivery_tag, redelivered = DELIVERY_TAG.unpack_from(payload, offset)
    exchange, offset = read_short(payload, offset + DELIVERY_TAG.size)
    routing_key, _ = read_short(payload, offset)
    return {
        "consumer_tag": consumer_tag,
        "delivery_tag": delivery_tag,
        "redelivered": bool(redelivered),
        "exchange": exchange,
        "routing_key": routing_key,
    }


def split(buffer: bytes) -> tuple[list[Frame], bytes]:
    """The complete frames in the buffer (type, channel, payload), and what is left of it."""
    frames = []
    start, end = 0, len(buffer)
    while end - start >= FRAME_HEADER.size:
        kind, channel, size = FRAME_HEADER.unpack_from(buffer, start)
        payload = start + FRAME_HEADER.size
        following = payload + size + len(FRAME_END)
        if following > end:
            break
        frames.append((kind, channel, buffer[payload : payload + size]))
        start = following
    return frames, buffer[start:]
