"""An endpoint that answers 429 or 503 with Retry-After is left alone until then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.webhooks.events import heard_of
from tests.webhooks.test_delivering import ANY, endpoint, let_time_pass
from webhooks import managing, waking
from webhooks.schedule import BACKOFF_SECONDS, JITTER
from webhooks.sending import Sent
from webhooks.store import deliveries, endpoints
from webhooks.turn import take_turn

pytestmark = pytest.mark.usefixtures("db")

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    settings.WEBHOOKS = True


def asking_for(wait: timedelta, sent: list[str]) -> Callable[..., Sent]:
    def send(url: str, message_id: str, body: str, secrets: Any, now: datetime) -> Sent:
        sent.append(message_id)
        return Sent(now, 5, {}, 429, not_before=now + wait)

    return send


def turn(wait: timedelta, sent: list[str]) -> None:
    if claimed := waking.claim([], [], ANY):
        take_turn(claimed, lambda: False, asking_for(wait, sent))


def test_neither_what_failed_nor_anything_else_is_sent_before() -> None:
    made = endpoint()
    heard_of()
    heard_of(orderId="f" * 24)
    sent: list[str] = []

    for _ in range(3):
        turn(HOUR, sent)

    assert len(sent) == 1
    (failed,) = deliveries().find({"tries": 1})
    known = endpoints().find_one({"_id": made["_id"]})
    assert known is not None
    asked_for = failed["attempts"][0]["at"] + HOUR
    assert failed["due_at"] == known["held_until"] == known["next_at"] == asked_for


def test_a_short_wait_does_not_shorten_the_backoff() -> None:
    endpoint()
    heard_of()
    sent: list[str] = []
    for _ in range(2):
        turn(timedelta(seconds=1), sent)
        let_time_pass()
    turn(timedelta(seconds=1), sent)

    (failed,) = deliveries().find()
    wait = (failed["due_at"] - failed["attempts"][-1]["at"]).total_seconds()
    assert failed["tries"] == 3
    assert wait >= BACKOFF_SECONDS[2] * (1 - JITTER)


def test_who_asks_for_a_test_does_not_wait() -> None:
    made = endpoint()
    heard_of()
    sent: list[str] = []
    turn(HOUR, sent)

    managing.send_test(made)
    turn(HOUR, sent)

    assert len(sent) == 2
