"""How many messages a consumer holds while one of them may be undeliverable. In memory."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import amqp
import pytest

from messaging.consuming import one_by_one
from messaging.consuming.one_by_one import SUSPICIOUS_RETURNS, Answer, OneByOne, Refusals
from messaging.consuming.one_by_one import use_up_returns as really_use_up_returns
from messaging.incoming import RETURNS_HEADER

USUAL = 1_600
REFUSED = amqp.InternalError("541")
CUT = OSError("connection reset")


class Consumer:
    """kombu's, as far as it is told how many messages to hold."""

    def __init__(self) -> None:
        self.channel = SimpleNamespace(connection=object())
        self.queues = ["billing"]
        self.is_consuming = True
        self.holds = 0

    def qos(self, prefetch_count: int) -> None:
        self.holds = prefetch_count

    def consuming_from(self, queue: str) -> bool:
        return self.is_consuming

    def cancel(self) -> None:
        self.is_consuming = False

    def consume(self) -> None:
        self.is_consuming = True


def returned(times: int) -> Any:
    return SimpleNamespace(
        delivery_info={"redelivered": times > 0}, headers={RETURNS_HEADER: times}
    )


def one_by_one_of(consumer: Consumer, *, after_refusal: bool = False) -> OneByOne:
    def later(function: Callable[[], Any]) -> None:
        function()

    return OneByOne(consumer, USUAL, later, after_refusal=after_refusal)


@pytest.mark.parametrize(
    ("returns", "after_refusal", "holds"),
    [
        ([0], False, USUAL),
        ([SUSPICIOUS_RETURNS - 1], False, USUAL),
        ([SUSPICIOUS_RETURNS], False, 1),
        ([SUSPICIOUS_RETURNS, SUSPICIOUS_RETURNS + 5], False, 1),
        ([SUSPICIOUS_RETURNS, 0], False, USUAL),
        # Any that was returned may be the one that RabbitMQ just refused.
        ([1], True, 1),
        ([0], True, USUAL),
        ([], False, 1),
    ],
)
def test_it_takes_one_at_a_time_until_one_comes_that_is_not_suspicious(
    returns: list[int], after_refusal: bool, holds: int
) -> None:
    consumer = Consumer()
    held = one_by_one_of(consumer, after_refusal=after_refusal)

    for times in returns:
        held.received(returned(times))

    assert consumer.holds == holds
    assert held.is_on is (holds == 1)
    assert consumer.is_consuming


@pytest.mark.parametrize("lost", ["connection", "consumer"])
def test_a_consumer_that_is_gone_meanwhile_does_not_begin_again(lost: str) -> None:
    consumer = Consumer()
    held = one_by_one_of(consumer)
    if lost == "connection":
        consumer.channel.connection = None
    else:
        consumer.is_consuming = False
    held.received(returned(0))

    assert consumer.holds == 1
    assert consumer.is_consuming is (lost == "connection")


@pytest.fixture
def used_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues whose next message was given up, if it was next."""
    used: list[str] = []

    def use_up(url: str, queue: str, before_each: Callable[[], None]) -> bool:
        used.append(queue)
        return True

    monkeypatch.setattr(one_by_one, "use_up_returns", use_up)
    return used


@pytest.mark.parametrize(
    ("lost", "uses_up"),
    [
        ([(REFUSED, False)], False),
        ([(REFUSED, False), (REFUSED, False)], True),
        # In between the connection was lost for another reason, or a message came.
        ([(REFUSED, False), (CUT, False), (REFUSED, False)], False),
        ([(REFUSED, False), (REFUSED, True)], False),
        ([(REFUSED, True), (REFUSED, False)], True),
    ],
)
def test_two_refusals_in_a_row_are_one_message_that_is_next(
    used_up: list[str], lost: list[tuple[Exception, bool]], uses_up: bool
) -> None:
    refusals = Refusals("amqp://nowhere", before_each=lambda: None)
    for error, has_received in lost:
        refusals.lost(error, ["billing"], has_received)

    assert bool(used_up) is uses_up


@pytest.mark.parametrize(
    ("answers", "was_next", "told"),
    [
        ([Answer.REFUSED] * 5 + [Answer.EMPTY], True, "5 times in a row"),
        ([Answer.REFUSED] * 5 + [Answer.DELIVERED], False, "5 times in a row"),
        ([Answer.DELIVERED], False, ""),
        ([Answer.EMPTY], True, ""),
    ],
)
def test_it_asks_until_rabbitmq_gives_the_message_up(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    answers: list[Answer],
    was_next: bool,
    told: str,
) -> None:
    asked = iter(answers)
    monkeypatch.setattr(one_by_one, "_next_of", lambda url, queue: next(asked))

    assert really_use_up_returns("amqp://nowhere", "billing", lambda: None) is was_next
    assert told in caplog.text
    assert ("billing" in caplog.text) is bool(told)


def test_with_rabbitmq_down_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(url: str, queue: str) -> Answer:
        raise CUT

    monkeypatch.setattr(one_by_one, "_next_of", down)

    assert really_use_up_returns("amqp://nowhere", "billing", lambda: None)
