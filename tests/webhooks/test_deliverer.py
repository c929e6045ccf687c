"""The deliverer: dead and slow endpoints take nothing from those that work."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

import pytest

from runtime.stopping import StopRequest
from tests.polling import eventually
from tests.webhooks.events import answered, heard_of
from webhooks import deliverer, managing
from webhooks.sending import Sent
from webhooks.store import deliveries, endpoints
from webhooks.turn import take_turn
from webhooks.waking import Health

ENDPOINTS, DEAD = 1_000, 50
#: Enough to take all places, at `TURNS_OF_ONE_ENDPOINT` each.
SLOW = 20


def make(urls: Iterable[str], user_id: int | None) -> None:
    """Store endpoints that hear of placed orders."""
    types = ["order.placed"]
    endpoints().insert_many(
        managing.new_endpoint(token_hex(8), url, types, user_id, "", "a test", "") for url in urls
    )


@contextmanager
def delivering(stop: StopRequest, released: threading.Event) -> Iterator[None]:
    """Within it a deliverer runs; whoever waits for `released` is let go at its end."""
    running = threading.Thread(target=deliverer.Deliverer().run, args=(stop,))
    running.start()
    try:
        yield
    finally:
        released.set()
        stop.request()
        running.join()


@pytest.mark.usefixtures("db")
def test_those_that_work_hear_at_once_while_dead_ones_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = {f"https://dead.example.com/{number}" for number in range(DEAD)}
    released = threading.Event()

    def send(url: str, message_id: str, body: str, secrets: Any, now: datetime) -> Sent:
        if url in dead:
            released.wait()
            return Sent(now, 10_000, {}, None, error="no whole answer within 10 s")
        return Sent(now, 1, {}, 204)

    monkeypatch.setattr(deliverer, "take_turn", lambda e, over: take_turn(e, over, send))
    make([*dead, *(f"https://alive.example.com/{n}" for n in range(ENDPOINTS - DEAD))], None)
    with delivering(StopRequest(), released):
        for number in range(2):
            heard_of(orderId=f"{number:024x}")
        alive = 2 * (ENDPOINTS - DEAD)
        eventually(lambda: deliveries().count_documents({"state": "delivered"}) == alive)
        assert deliveries().count_documents({"state": "pending"}) == 2 * DEAD


@pytest.mark.usefixtures("db")
def test_those_that_work_hear_at_once_while_slow_ones_have_much_to_get(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = [f"https://slow.example.com/{number}" for number in range(SLOW)]
    quick = [f"https://quick.example.com/{number}" for number in range(SLOW)]
    released = threading.Event()
    at_slow_ones = threading.Semaphore(0)

    def send(url: str, message_id: str, body: str, secrets: Any, now: datetime) -> Sent:
        if url not in slow:
            return Sent(now, 1, {}, 204)
        at_slow_ones.release()
        released.wait()
        return Sent(now, 9_000, {}, 204)

    monkeypatch.setattr(deliverer, "take_turn", lambda e, over: take_turn(e, over, send))
    make(slow, 101)
    heard_of(orderId="f" * 24)
    for delivery in list(deliveries().find()):
        answered(delivery, Sent(datetime.now(UTC), 9_000, {}, 204))
    for number in range(deliverer.TURNS_OF_ONE_ENDPOINT):
        heard_of(orderId=f"{number:024x}")
    make(quick, 202)
    heard_of(orderId="e" * 24, userId=202)
    of_quick = {"user_id": 202, "state": "delivered"}
    with delivering(StopRequest(), released):
        eventually(lambda: deliveries().count_documents(of_quick) == len(quick))
        for _ in range(deliverer.MOST[Health.SLOW]):
            at_slow_ones.acquire()
        heard_of(orderId="d" * 24, userId=202)
        eventually(lambda: deliveries().count_documents(of_quick) == 2 * len(quick))


def test_a_deliverer_that_is_asked_to_stop_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliverer.waking, "claim", lambda *_, **__: None)
    stop = StopRequest()
    stop.request()

    began = time.monotonic()
    deliverer.Deliverer().run(stop)

    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("health", "known"),
    [
        (Health.NEW, {}),
        (Health.SLOW, {"last_success_at": datetime.now(UTC), "is_slow": True}),
        (Health.FAILS, {"failures": 3}),
    ],
)
def test_those_in_doubt_leave_places_to_others(
    monkeypatch: pytest.MonkeyPatch, health: Health, known: dict[str, Any]
) -> None:
    waiting = threading.Event()
    claimed = 0
    stop = StopRequest()

    def claim(full: list[str], busy: list[str], free: list[Health]) -> dict[str, Any] | None:
        nonlocal claimed
        if health not in free:
            assert Health.WORKS in free
            stop.request()
            waiting.set()
            return None
        claimed += 1
        return {"_id": str(claimed), **known}

    monkeypatch.setattr(deliverer.waking, "claim", claim)
    monkeypatch.setattr(deliverer, "take_turn", lambda *_: waiting.wait(10))

    deliverer.Deliverer().run(stop)

    assert claimed == deliverer.MOST[health]


def test_places_are_left_to_those_that_work_whatever_the_others_take() -> None:
    others = [most for each, most in deliverer.MOST.items() if each is not Health.WORKS]

    assert sum(others) < deliverer.PLACES
