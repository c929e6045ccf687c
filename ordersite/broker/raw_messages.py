"""Messages whose properties stay the bytes that arrived.

A message may hold what py-amqp cannot read, or would write otherwise. To move it, one need not
understand it. AMQP 0-9-1, section 4.2.6.1: the content header.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from struct import Struct, unpack_from
from typing import Any

import amqp

from messaging.adapters.py_amqp import BASIC_CLASS, RAW
from messaging.publishing.confirms import ConfirmedChannel, Outgoing
from messaging.publishing.frames import frames_of

CONTENT_CLASS_AND_SIZE = Struct(">HHQ")

#: The properties up to `user_id`, each with the size of its value in bytes; 0: a short string with
#: its length before it, -1: a table with its length before it.
SIZES_BYTES = (0, 0, -1, 1, 1, 0, 0, 0, 0, 8, 0, 0)
USER_ID = len(SIZES_BYTES) - 1
FIRST_FLAG = 15


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message by its bytes."""

    #: The property flags and the properties, without the content header before them.
    properties: bytes
    body: bytes
    #: The properties by their names, where py-amqp has read them on its own way.
    named: Mapping[str, Any] = field(default_factory=dict)
    #: No part of a raw message is read, this one not even by who matches returned messages.
    message_id: str = ""


def copy_of(original: Any, login: str) -> RawMessage:
    """A message that was read inside `unread_properties`, as this login may publish it."""
    # py-amqp gives an empty body as text.
    body = original.body or b""
    if RAW in original.properties:
        return RawMessage(without_foreign_user_id(original.properties[RAW], login), body)
    user_id = original.properties.get("user_id")
    allowed = {"user_id": user_id if user_id == login else None}
    return RawMessage(b"", body, {**original.properties, **allowed})


class RawChannel(ConfirmedChannel):
    """Publishes raw messages and waits for their confirms."""

    def _frames(self, each: Outgoing) -> bytes:
        message: Any = each.message
        return frames_of(
            self._channel.channel_id,
            each.exchange,
            each.routing_key,
            CONTENT_CLASS_AND_SIZE.pack(BASIC_CLASS, 0, len(message.body)) + message.properties,
            message.body,
            mandatory=each.mandatory,
            frame_max_bytes=self._channel.connection.frame_max,
        )

    def _theirs(self, message: Any) -> amqp.Message:
        return amqp.Message(message.body, **message.named)


def without_foreign_user_id(properties: bytes, login: str) -> bytes:
    """The properties without a `user_id` that is not ours: RabbitMQ refuses to take it from us.

    https://www.rabbitmq.com/docs/validated-user-id
    """
    (flags,) = unpack_from(">H", properties)
    user_id_flag = 1 << FIRST_FLAG - USER_ID
    if not flags & user_id_flag:
        return properties
    start = _start_of_user_id(properties, flags)
    end = start + 1 + properties[start]
    if properties[start + 1 : end] == login.encode():
        return properties
    return (flags & ~user_id_flag).to_bytes(2, "big") + properties[2:start] + properties[end:]


def _start_of_user_id(properties: bytes, flags: int) -> int:
    at = 2
    for index, size in enumerate(SIZES_BYTES[:USER_ID]):
        if flags & (1 << FIRST_FLAG - index):
            if size == 0:
                at += 1 + properties[at]
            elif size < 0:
                at += 4 + int(unpack_from(">I", properties, at)[0])
            else:
                at += size
    return at
