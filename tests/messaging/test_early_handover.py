"""Handing a message over that waits in a retry queue; in memory, and once with RabbitMQ itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import amqp
import pytest
from kombu import Connection

from messaging.handling import early_handover
from messaging.handling.early_handover import NotWaiting, TooFarBack, hand_over
from messaging.service import services
from messaging.topology import retry_queue
from tests.broker import depth, take, take_all
from tests.polling import eventually

QUEUE = "billing.retry.2m"


class FakeRabbitMQ:
    """A connection with one channel, and a queue of message ids."""

    def __init__(self, *waiting: str) -> None:
        self.waiting = list(waiting)
        self.acts: list[str] = []
        self._callback: Callable[[Any], None] = print

    def channel(self) -> Any:
        return self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.acts.append("channel closed")

    def close(self) -> None:
        self.acts.append("connection closed")

    def basic_qos(self, _: int, messages: int, __: bool) -> None:
        self.prefetch = messages

    def basic_consume(self, _: str, callback: Callable[[Any], None]) -> None:
        self._callback = callback

    def drain_events(self, timeout: float) -> None:
        if not self.waiting:
            raise TimeoutError
        properties = {"message_id": self.waiting.pop(0)}
        self.prefetch -= 1
        self._callback(SimpleNamespace(properties=properties, delivery_tag=properties))

    def basic_reject(self, tag: dict[str, str], requeue: bool) -> None:
        assert not requeue
        self.acts.append(f"{tag['message_id']} goes to its service")


@pytest.fixture
def rabbit(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeRabbitMQ]:
    def with_(*waiting: str) -> FakeRabbitMQ:
        fake = FakeRabbitMQ(*waiting)
        state = SimpleNamespace(messages=len(waiting))
        monkeypatch.setattr(early_handover, "BACK_SECONDS", 0)
        monkeypatch.setattr(early_handover, "bounded_connection", lambda *_, **__: fake)
        monkeypatch.setattr(early_handover, "connect", lambda connection: connection)
        monkeypatch.setattr(early_handover, "queue_state_on", lambda *_: state)
        return fake

    return with_


def test_it_is_moved_once_the_act_is_stored(rabbit: Callable[..., FakeRabbitMQ]) -> None:
    fake = rabbit("m1", "m2", "m3")

    hand_over(QUEUE, "m2", lambda: fake.acts.append("stored"))

    assert fake.acts[:2] == ["stored", "m2 goes to its service"]
    assert fake.waiting == ["m3"]


def test_nothing_is_moved_where_the_act_cannot_be_stored(
    rabbit: Callable[..., FakeRabbitMQ],
) -> None:
    fake = rabbit("m1")

    def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        hand_over(QUEUE, "m1", fails)

    assert fake.acts == ["channel closed", "connection closed"]


@pytest.mark.parametrize("waiting", [[], ["m1", "m2"]])
def test_what_waits_no_more_is_not_found(
    rabbit: Callable[..., FakeRabbitMQ], waiting: list[str]
) -> None:
    fake = rabbit(*waiting)

    with pytest.raises(NotWaiting):
        hand_over(QUEUE, "m9", lambda: fake.acts.append("stored"))

    assert "stored" not in fake.acts


def test_no_more_than_a_bounded_number_is_held_up(
    rabbit: Callable[..., FakeRabbitMQ], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(early_handover, "MOST_MESSAGES", 3)
    fake = rabbit("m1", "m2", "m3", "m4")

    with pytest.raises(TooFarBack):
        hand_over(QUEUE, "m4", lambda: fake.acts.append("stored"))

    assert fake.waiting == ["m4"]
    assert fake.prefetch == 0
    assert "stored" not in fake.acts


@pytest.mark.usefixtures("clean")
def test_rabbitmq_moves_it_to_its_service_and_leaves_the_others_in_their_sequence() -> None:
    queue = retry_queue(services()["billing"], 3_600)
    ids = [f"m{number}" for number in range(200)]
    also = [f"m{number}" for number in range(20, 40)]
    with Connection(os.environ["AMQP_URL"], transport_options={"confirm_publish": True}) as broker:
        channel = broker.channel()
        queue(channel).queue_declare()
        try:
            for each in ids:
                message = amqp.Message(b"{}", message_id=each)
                channel.basic_publish(message, exchange="", routing_key=queue.name)

            hand_over(queue.name, "m150", lambda: None)
            with pytest.raises(NotWaiting):
                hand_over(queue.name, "m150", lambda: None)

            assert depth(queue.name) == 199
            # One after the other, as a script does: what the last call has held is not back yet.
            for each in also:
                hand_over(queue.name, each, lambda: None)
            eventually(lambda: depth(queue.name) == 199 - len(also))
            left = [each.properties["message_id"] for each in take_all(queue.name)]
            moved = take("billing")
        finally:
            channel.queue_delete(queue.name)

    assert left == [each for each in ids if each not in ("m150", *also)]
    assert moved is not None
    assert moved.properties["message_id"] == "m150"
    assert moved.delivery_info["exchange"] == "by_name"
