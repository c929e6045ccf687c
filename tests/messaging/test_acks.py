"""The messages of a batch are acked together, and no settled message is kept."""

from __future__ import annotations

import random
import weakref
from typing import Any

import pytest

from messaging.consuming.acks import Acks


class Channel:
    """RabbitMQ's end of a channel: which deliveries it holds as unacked."""

    def __init__(self) -> None:
        self.unacked: set[int] = set()
        self.frames = 0
        self._last_tag = 0

    def deliver(self) -> Delivered:
        self._last_tag += 1
        self.unacked.add(self._last_tag)
        return Delivered(self, self._last_tag)

    def basic_ack(self, delivery_tag: int, multiple: bool) -> None:
        acked = {tag for tag in self.unacked if tag <= delivery_tag} if multiple else {delivery_tag}
        assert acked <= self.unacked, "RabbitMQ closes the channel over an unknown delivery tag"
        assert acked
        self.unacked -= acked
        self.frames += 1


class Delivered:
    def __init__(self, channel: Any, delivery_tag: int) -> None:
        self.channel = channel
        self.delivery_tag = delivery_tag
        self.acknowledged = False

    def ack(self) -> None:
        self.channel.basic_ack(self.delivery_tag, multiple=False)
        self.acknowledged = True


@pytest.fixture
def channel() -> Channel:
    return Channel()


@pytest.fixture
def acks(channel: Channel) -> Acks:
    return Acks(channel)


def delivered(channel: Channel, acks: Acks, count: int) -> list[Delivered]:
    messages = [channel.deliver() for _ in range(count)]
    for message in messages:
        acks.delivered(message)
    return messages


def test_a_whole_batch_takes_one_frame(channel: Channel, acks: Acks) -> None:
    acks.ack(delivered(channel, acks, 800))

    assert not channel.unacked
    assert channel.frames == 1


def test_a_batch_leaves_alone_what_is_still_being_handled(channel: Channel, acks: Acks) -> None:
    messages = delivered(channel, acks, 5)

    acks.ack([messages[0], messages[1], messages[3], messages[4]])

    assert channel.unacked == {messages[2].delivery_tag}


def test_messages_of_a_lost_connection_are_left_out(channel: Channel, acks: Acks) -> None:
    lost = Channel().deliver()
    [message] = delivered(channel, acks, 1)

    acks.ack([lost, message])

    assert not channel.unacked
    assert not lost.acknowledged


def test_a_message_that_was_settled_alone_is_let_go(channel: Channel, acks: Acks) -> None:
    """Given a quiet system, where no batch ever forms, then nothing piles up in memory."""
    [message] = delivered(channel, acks, 1)
    settled = weakref.ref(message)
    message.ack()
    del message

    delivered(channel, acks, 1)

    assert settled() is None


def test_in_any_order_each_is_acked_once_and_only_when_it_is_done(
    channel: Channel, acks: Acks, chance: random.Random
) -> None:
    in_hand: list[Delivered] = []
    for _ in range(300):
        in_hand += delivered(channel, acks, chance.randrange(5))
        chance.shuffle(in_hand)
        done = [in_hand.pop() for _ in range(chance.randint(0, len(in_hand)))]
        if chance.random() < 0.3:
            for message in done:
                message.ack()
        else:
            acks.ack(done)

        assert channel.unacked == {message.delivery_tag for message in in_hand}
        assert acks.settled() == acks.last_tag - len(in_hand)
