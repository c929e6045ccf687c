"""Acking the messages of a batch with as few frames as possible.

An ack with `multiple` covers every message up to a delivery tag, so it may be used only where
all of those before it are settled. https://www.rabbitmq.com/docs/confirms#consumer-acks-multiple-parameter
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence, Set
from typing import Any


class Acks:
    """The messages of one channel that are not settled yet, in the order of their delivery."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._unsettled: OrderedDict[int, Any] = OrderedDict()
        #: The delivery tag of the message that came last; RabbitMQ counts from 1.
        self.last_tag = 0

    def delivered(self, message: Any) -> None:
        """Take note of a message, and let go of those that were settled one by one."""
        self._drop_settled(frozenset())
        self.last_tag = message.delivery_tag
        self._unsettled[self.last_tag] = message

    def settled(self) -> int:
        """How many messages are settled, since the channel was opened."""
        return self.last_tag - self.unsettled()

    def unsettled(self) -> int:
        """How many are not; also for other threads."""
        return sum(not message.acknowledged for message in [*self._unsettled.values()])

    def covers(self, message: Any) -> bool:
        """Whether the message came over this channel, and not over one that is lost."""
        return message.channel is self._channel

    def ack(self, messages: Sequence[Any]) -> None:
        """Ack the messages; those of a lost channel are delivered again and left out.

        Raises:
            OSError, amqp.AMQPError: the connection is lost; RabbitMQ delivers them again.
        """
        covered = [message for message in messages if self.covers(message)]
        done = {message.delivery_tag for message in covered}
        last = self._drop_settled(done)
        if last:
            self._channel.basic_ack(last, multiple=True)
        for message in covered:
            if message.delivery_tag > last:
                self._unsettled.pop(message.delivery_tag, None)
                message.ack()

    def _drop_settled(self, done: Set[int]) -> int:
        """Drop the oldest messages while they are settled; return the last of `done` among them."""
        last = 0
        while self._unsettled:
            delivery_tag, message = next(iter(self._unsettled.items()))
            if delivery_tag in done:
                last = delivery_tag
            elif not message.acknowledged:
                break
            del self._unsettled[delivery_tag]
        return last
