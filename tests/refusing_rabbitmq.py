"""RabbitMQ with a message that it cannot deliver, such as 4.0 with AMQP 1.0's uuid properties.

It closes the connection with 541 INTERNAL_ERROR in place of the delivery. The suite's RabbitMQ can
deliver everything, so this stands before it, and refuses what has a mark in its properties.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit, urlunsplit

FRAME = struct.Struct(">BHI")
METHOD, HEADER = 1, 2
DELIVERIES = (b"\x00\x3c\x00\x3c", b"\x00\x3c\x00\x47")  # basic.deliver, basic.get-ok
CLOSE = struct.pack(">HHHB", 10, 50, 541, 14) + b"INTERNAL_ERROR" + struct.pack(">HH", 0, 0)

#: In the message id of a message that is refused.
MARK = b"cannot be delivered"


class Refuser(ThreadingTCPServer):
    """Passes everything on to RabbitMQ, and back what it may deliver."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), Link)
        self.target = target
        self.refusals = 0


class Link(BaseRequestHandler):
    server: Refuser

    def handle(self) -> None:
        with socket.create_connection(self.server.target) as rabbitmq:
            threading.Thread(target=self._pass_on, args=(rabbitmq,), daemon=True).start()
            with suppress(OSError):
                self._pass_back(rabbitmq)
            for end in (self.request, rabbitmq):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _pass_on(self, rabbitmq: socket.socket) -> None:
        with suppress(OSError):
            while received := self.request.recv(65_536):
                rabbitmq.sendall(received)
        with suppress(OSError):
            rabbitmq.shutdown(socket.SHUT_RDWR)

    def _pass_back(self, rabbitmq: socket.socket) -> None:
        begun = b""
        for kind, frame in frames(rabbitmq):
            if kind == METHOD and frame[FRAME.size :].startswith(DELIVERIES):
                begun = frame
            elif kind == HEADER and MARK in frame:
                self.server.refusals += 1
                self.request.sendall(FRAME.pack(METHOD, 0, len(CLOSE)) + CLOSE + b"\xce")
                return
            else:
                self.request.sendall(begun + frame)
                begun = b""


def frames(rabbitmq: socket.socket) -> Iterator[tuple[int, bytes]]:
    """What RabbitMQ sends, frame by frame, until it closes the connection."""
    with rabbitmq.makefile("rb") as stream:
        while len(head := stream.read(FRAME.size)) == FRAME.size:
            kind, _, size = FRAME.unpack(head)
            yield kind, head + stream.read(size + 1)


@contextmanager
def refusing() -> Iterator[tuple[str, Refuser]]:
    """Its URL, for processes that shall meet it, and itself."""
    url = urlsplit(os.environ["AMQP_URL"])
    with Refuser((str(url.hostname), int(url.port or 5672))) as refuser:
        threading.Thread(target=refuser.serve_forever, args=(0.01,), daemon=True).start()
        login, _, _ = url.netloc.rpartition("@")
        port = refuser.server_address[1]
        yield urlunsplit(url._replace(netloc=f"{login}@127.0.0.1:{port}")), refuser
        refuser.shutdown()
