"""Messages whose properties stay the bytes that arrived.

A message may hold what py-amqp cannot read, or would write otherwise. To move it, one need not
understand it. AMQP 0-9-1, section 4.2.6.1: the content header.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from struct import Struct, unpack_from
from typing import Any

import amqp

from messaging.adapters.py_amqp import BASIC_CLASS, RAW
from messaging.publishing.confirms import ConfirmedChannel, Outgoing
from messaging.publishing.frames import frames_of
from messaging.publishing.properties import SIZE
from messaging.service import services
from messaging.short_string import short
from messaging.trust.publishers import PUBLISHER
from messaging.trust.users import senders_again_to

CONTENT_CLASS_AND_SIZE = Struct(">HHQ")

#: The properties up to `user_id`, each with the size of its value in bytes; 0: a short string with
#: its length before it, -1: a table with its length before it.
SIZES_BYTES = (0, 0, -1, 1, 1, 0, 0, 0, 0, 8, 0, 0)
HEADERS, USER_ID = 2, len(SIZES_BYTES) - 1
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


def copy_of(original: Any, login: str, queue: str) -> RawMessage:
    """A message that was read inside `unread_properties`, as this login may publish it.

    Args:
        queue: where it is moved to.
    """
    # py-amqp gives an empty body as text.
    body = original.body or b""
    if RAW in original.properties:
        return RawMessage(published_by(login, original.properties[RAW], naming(queue)), body)
    named = {**original.properties}
    if user := named.get("user_id"):
        named["user_id"] = login
        if user != login and user not in naming(queue):
            headers = named.get("application_headers") or {}
            named["application_headers"] = {**headers, PUBLISHER: user}
    return RawMessage(b"", body, named)


def naming(queue: str) -> frozenset[str]:
    """The users of ours whose header `publisher` is believed on this queue, or on its shadow."""
    service = services().get(queue.partition(".")[0])
    return senders_again_to(service) if service else frozenset()


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


def published_by(login: str, properties: bytes, may_name: Collection[str]) -> bytes:
    """The properties with our login for a `user_id`, as RabbitMQ takes no other from us.

    The user is then named in a header, so that a consumer still knows who it was; those who
    `may_name` another have done so there, where it was another.
    https://www.rabbitmq.com/docs/validated-user-id
    """
    (flags,) = unpack_from(">H", properties)
    if not flags & flag(USER_ID):
        return properties
    start = _start_of(USER_ID, properties, flags)
    end = start + 1 + properties[start]
    user = properties[start + 1 : end]
    if user == login.encode():
        return properties
    ours = properties[:start] + short(login) + properties[end:]
    return ours if user.decode("utf-8", "replace") in may_name else _with_publisher(user, ours)


def _with_publisher(user: bytes, properties: bytes) -> bytes:
    """The properties with a header at the end, where it stands over one of the same name."""
    (flags,) = unpack_from(">H", properties)
    start = _start_of(HEADERS, properties, flags)
    table = properties[start : _end_of_table(properties, start)] if flags & flag(HEADERS) else b""
    field = short(PUBLISHER) + b"S" + SIZE.pack(len(user)) + user
    fields = table[SIZE.size :] + field
    return (
        (flags | flag(HEADERS)).to_bytes(2, "big")
        + properties[2:start]
        + SIZE.pack(len(fields))
        + fields
        + properties[start + len(table) :]
    )


def flag(index: int) -> int:
    return 1 << FIRST_FLAG - index


def _start_of(wanted: int, properties: bytes, flags: int) -> int:
    at = 2
    for index, size in enumerate(SIZES_BYTES[:wanted]):
        if flags & flag(index):
            if size == 0:
                at += 1 + properties[at]
            elif size < 0:
                at = _end_of_table(properties, at)
            else:
                at += size
    return at


def _end_of_table(properties: bytes, start: int) -> int:
    return start + SIZE.size + int(SIZE.unpack_from(properties, start)[0])
