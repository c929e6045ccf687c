"""Reading what has arrived on a connection in one go.

py-amqp reads a frame with several small reads, and Celery's event loop takes one turn for each
message. Under load that is most of the work of a worker's main process, so here one turn takes
whatever the socket has, and hands every complete frame to py-amqp.
"""

from __future__ import annotations

import socket
from struct import Struct
from typing import Any

from amqp.transport import TCPTransport

#: Bounds what one turn of the event loop does before others have theirs.
READ_BYTES = 64 * 1024

#: AMQP 0-9-1, section 4.2.3: a frame's type, channel and size; payload and an end octet follow.
FRAME_HEADER = Struct(">BHI")
FRAME_END_BYTES = 1


def read_in_bulk(connection: Any, hub: Any) -> None:
    """Let the event loop `hub` read this py-amqp connection in bulk.

    A connection over TLS is left as it is: its layer has a buffer of its own.
    """
    if isinstance(connection.transport, TCPTransport):
        hub.add_reader(connection.sock, _read, connection)


def _read(connection: Any) -> None:
    """Take what has arrived; the event loop calls this as long as the socket has more.

    Raises:
        OSError: the connection is lost.
    """
    transport = connection.transport
    try:
        received = connection.sock.recv(READ_BYTES, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return
    if not received:
        raise ConnectionResetError("RabbitMQ closed the connection")
    frames, rest = _frames(transport._read_buffer + received)
    # What a handler of a frame reads by itself comes after these frames.
    transport._read_buffer = rest
    for frame in frames:
        connection.on_inbound_frame(frame)


def _frames(buffer: bytes) -> tuple[list[tuple[int, int, bytes]], bytes]:
    """The complete frames in the buffer (type, channel, payload), and what is left of it."""
    frames = []
    start, end = 0, len(buffer)
    while end - start >= FRAME_HEADER.size:
        kind, channel, size = FRAME_HEADER.unpack_from(buffer, start)
        payload = start + FRAME_HEADER.size
        following = payload + size + FRAME_END_BYTES
        if following > end:
            break
        frames.append((kind, channel, buffer[payload : payload + size]))
        start = following
    return frames, buffer[start:]
