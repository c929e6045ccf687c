"""Rounds of publishing: each of the broker's answers counts for its own message. In memory."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import amqp
import pytest

from messaging.errors import PublishError, Unroutable
from messaging.publishing.confirms import ConfirmedChannel
from messaging.publishing.publisher import ROUND_MESSAGES, Outgoing, Publisher
from tests.messages import order_placed

Answer = Callable[[Any, int], None]


class Broker:
    """RabbitMQ behind one channel of py-amqp's: counts what is written, and answers as told."""

    channel_id = 1
    frame_max = 131_072
    bytes_sent = 0

    def __init__(self) -> None:
        self.connected = True
        self.connection = self.transport = self
        self.events: dict[str, set[Any]] = defaultdict(set)
        self.writes = 0
        self.answers: list[Callable[[], None]] = []
        self.channel = ConfirmedChannel(self)

    def confirm_select(self) -> None:
        pass

    def write(self, frames: bytes) -> None:
        self.writes += 1

    def drain_events(self, timeout: float) -> None:
        if not self.answers:
            raise TimeoutError("no confirm")
        self.answers.pop(0)()

    def tell(self, event: str, *arguments: Any) -> None:
        for heard in self.events[event]:
            heard(*arguments)

    def acks(self, tag: int, multiple: bool = False) -> None:
        self.answers.append(lambda: self.tell("basic_ack", tag, multiple))

    def nacks(self, tag: int, multiple: bool = False) -> None:
        self.answers.append(lambda: self.tell("basic_nack", tag, multiple))

    def returns(self, each: Outgoing) -> None:
        message = SimpleNamespace(properties={"message_id": each.message.message_id})
        told = (RuntimeError(), each.exchange, each.routing_key, message)
        self.answers.append(lambda: self.tell("basic_return", *told))


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def publisher(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    publisher = Publisher("amqp://nowhere")
    monkeypatch.setattr(publisher, "_open", lambda: broker.channel)
    return publisher


def events(count: int) -> list[Outgoing]:
    return [Outgoing(order_placed(f"order-{n}"), "order_events", "") for n in range(count)]


def test_a_round_is_written_at_once_and_may_be_confirmed_at_once(broker: Broker) -> None:
    broker.acks(100, multiple=True)
    broker.channel.publish(events(100), 1)

    assert broker.writes == 1
    assert broker.channel.confirmed == {*range(100)}


def test_confirms_come_in_any_order(broker: Broker, chance: random.Random) -> None:
    tags = [*range(1, 51)]
    chance.shuffle(tags)
    for tag in tags:
        (broker.nacks if tag % 5 == 0 else broker.acks)(tag)
    broker.channel.publish(events(50), 1)

    assert broker.channel.refused == {tag - 1 for tag in tags if tag % 5 == 0}
    assert broker.channel.confirmed == {*range(50)} - broker.channel.refused


def test_a_confirm_of_several_leaves_alone_those_that_were_answered(broker: Broker) -> None:
    broker.nacks(2)
    broker.acks(4, multiple=True)
    broker.channel.publish(events(4), 1)

    assert broker.channel.refused == {1}
    assert broker.channel.confirmed == {0, 2, 3}


def test_tags_go_on_with_the_next_round(broker: Broker) -> None:
    broker.acks(2, multiple=True)
    broker.channel.publish(events(2), 1)
    broker.acks(2)  # once more, for the first round
    broker.acks(4)
    broker.acks(3)
    broker.channel.publish(events(2), 1)

    assert broker.channel.confirmed == {0, 1}
    assert not broker.answers


def test_what_is_returned_is_not_safe_though_it_is_acked(broker: Broker) -> None:
    sent = events(3)
    broker.returns(sent[1])
    broker.acks(3, multiple=True)
    broker.channel.publish(sent, 1)

    assert broker.channel.unroutable == {1}
    assert broker.channel.confirmed == {0, 2}


def test_what_has_no_answer_is_a_timeout_and_what_has_one_is_safe(broker: Broker) -> None:
    broker.acks(2)
    with pytest.raises(TimeoutError):
        broker.channel.publish(events(3), 1)

    assert broker.channel.confirmed == {1}


def test_nothing_is_written_to_a_connection_that_is_closed(broker: Broker) -> None:
    broker.connected = False
    with pytest.raises(amqp.RecoverableConnectionError):
        broker.channel.publish(events(1), 1)

    assert broker.writes == 0


def test_an_error_names_what_is_safe_of_all_rounds(publisher: Publisher, broker: Broker) -> None:
    broker.acks(ROUND_MESSAGES, multiple=True)
    broker.acks(ROUND_MESSAGES + 2)
    broker.nacks(ROUND_MESSAGES + 1)
    broker.acks(ROUND_MESSAGES + 3)

    with pytest.raises(
        PublishError, match=r"refused 1 message.* order_events: a queue .* full"
    ) as e:
        publisher.publish(events(ROUND_MESSAGES + 3))

    assert e.value.confirmed == {*range(ROUND_MESSAGES), ROUND_MESSAGES + 1, ROUND_MESSAGES + 2}


def test_what_nobody_would_get_is_named_with_the_next_step(
    publisher: Publisher, broker: Broker
) -> None:
    sent = events(2)
    broker.returns(sent[0])
    broker.acks(2, multiple=True)

    with pytest.raises(Unroutable, match=r"'order_events'.* declare_topology") as refused:
        publisher.publish(sent)

    assert refused.value.confirmed == {1}


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError("lost"), PublishError),
        (amqp.ConnectionForced("closed by the operator"), PublishError),
        (amqp.NotFound("no exchange"), Unroutable),
    ],
)
def test_after_an_error_another_connection_is_opened(
    publisher: Publisher,
    broker: Broker,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    raised: type[Exception],
) -> None:
    """A confirm that comes late must not count for the next message with its tag."""

    def fails() -> None:
        raise error

    broker.answers.append(fails)
    with pytest.raises(raised) as told:
        publisher.publish(events(1))
    assert type(told.value) is raised

    broker.acks(1)
    another = Broker()
    monkeypatch.setattr(publisher, "_open", lambda: another.channel)
    another.acks(1)
    publisher.publish(events(1))
    assert not another.answers
    assert broker.answers


def test_a_message_that_amqp_cannot_say_leaves_nothing_half_sent(
    publisher: Publisher, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="at most 255 bytes"):
        publisher.publish([Outgoing(order_placed("1"), "order_events" * 50, "")])

    another = Broker()
    monkeypatch.setattr(publisher, "_open", lambda: another.channel)
    another.acks(1)
    publisher.publish(events(1))
    assert not another.answers
