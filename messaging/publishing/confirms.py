"""Publisher confirms: which messages of one channel the broker has stored.

py-amqp's own confirm mode waits after each message and does not match a confirm to its message,
so that a late confirm would count for the next one. Here a whole round is sent first, and each
confirm is matched by its delivery tag.
https://www.rabbitmq.com/docs/confirms#publisher-confirms
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import amqp
from msgspec import Struct

from messaging.adapters import py_amqp
from messaging.message import Message
from messaging.publishing.frames import publish_frames
from messaging.publishing.properties import named_properties_of

#: A write to the socket a message was a fifth of the cost of publishing it.
GATHERED_BYTES = 64 * 1024


class Outgoing(Struct, frozen=True):
    """A message and where it goes."""

    message: Message
    exchange: str
    routing_key: str
    #: Whether it is an error that no queue is bound for it.
    mandatory: bool = True


class ConfirmedChannel:
    """A channel that publishes in rounds: send all, then wait for all confirms."""

    def __init__(self, channel: Any, user_id: str = "") -> None:
        """`user_id` is whom RabbitMQ knows the connection as."""
        self._channel = channel
        self._user_id = user_id
        self._last_tag = 0
        self._awaited: dict[int, int] = {}
        self._returned: set[tuple[str, str, str]] = set()
        #: Indexes in the current round, by the broker's answer.
        self.confirmed: set[int] = set()
        self.unroutable: set[int] = set()
        self.refused: set[int] = set()
        channel.events["basic_ack"].add(self._on_ack)
        channel.events["basic_nack"].add(self._on_nack)
        channel.events["basic_return"].add(self._on_return)
        channel.confirm_select()

    def publish(self, outgoing: Sequence[Outgoing], timeout_seconds: float) -> None:
        """Send a round and wait until the broker has answered for each message.

        Raises:
            amqp.RecoverableConnectionError: the connection was closed before.
            TimeoutError: some answers are missing; this channel must not be used again, since
                they may come later.
        """
        connection = self._channel.connection
        if connection is None or not connection.connected:
            raise amqp.RecoverableConnectionError("the connection is closed")
        self._round = outgoing
        self._awaited.clear()
        self._returned.clear()
        self.confirmed, self.unroutable, self.refused = set(), set(), set()
        gathered = bytearray()
        for index, each in enumerate(outgoing):
            self._last_tag += 1
            self._awaited[self._last_tag] = index
            if not py_amqp.TRIED.is_installed:
                self._publish_alone(each)
                continue
            gathered += self._frames(each)
            if len(gathered) >= GATHERED_BYTES:
                py_amqp.write(self._channel, gathered)
                gathered.clear()
        if gathered:
            py_amqp.write(self._channel, gathered)
        self._wait(timeout_seconds)

    def _frames(self, each: Outgoing) -> bytes:
        return publish_frames(
            self._channel.channel_id,
            each.exchange,
            each.routing_key,
            each.message,
            mandatory=each.mandatory,
            frame_max_bytes=self._channel.connection.frame_max,
            user_id=self._user_id,
        )

    def _publish_alone(self, each: Outgoing) -> None:
        """By py-amqp's own way."""
        self._channel.basic_publish(
            self._theirs(each.message), each.exchange, each.routing_key, mandatory=each.mandatory
        )

    def _theirs(self, message: Message) -> amqp.Message:
        return amqp.Message(message.body, **named_properties_of(message, self._user_id))

    def close(self) -> None:
        self._channel.close()

    def _wait(self, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while self._awaited:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError(f"no confirm within {timeout_seconds:g} s")
            self._channel.connection.drain_events(timeout=remaining)

    def _answered(self, delivery_tag: int, multiple: bool) -> list[int]:
        tags = [tag for tag in self._awaited if tag <= delivery_tag] if multiple else [delivery_tag]
        return [self._awaited.pop(tag) for tag in tags if tag in self._awaited]

    def _on_ack(self, delivery_tag: int, multiple: bool) -> None:
        for index in self._answered(delivery_tag, multiple):
            each = self._round[index]
            key = (each.exchange, each.routing_key, each.message.message_id)
            # The broker returns an unroutable message first, and then acks it.
            (self.unroutable if key in self._returned else self.confirmed).add(index)

    def _on_nack(self, delivery_tag: int, multiple: bool) -> None:
        self.refused.update(self._answered(delivery_tag, multiple))

    def _on_return(self, error: Exception, exchange: str, routing_key: str, message: Any) -> None:
        self._returned.add((exchange, routing_key, message.properties.get("message_id", "")))
