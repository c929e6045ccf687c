"""The deliverer: dead and slow endpoints take nothing from those that work."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Any

import pytest

from runtime.stopping import StopRequest
from tests.polling import eventually
from tests.webhooks.events import heard_of
from webhooks import deliverer, managing
from webhooks.sending import Sent
from webhooks.store import deliveries
from webhooks.turns import take_turn
from webhooks.waking import Standing

ENDPOINTS, DEAD = 80, 6


@pytest.mark.usefixtures("db")
def test_those_that_work_hear_at_once_while_dead_ones_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = {f"https://dead.example.com/{number}" for number in range(DEAD)}
    released = threading.Event()

    def send(url: str, message_id: str, body: str, secrets: Any, now: datetime) -> Sent:
        if url in dead:
            released.wait(30)
            return Sent(now, 10_000, {}, None, error="no whole answer within 10 s")
        return Sent(now, 1, {}, 204)

    monkeypatch.setattr(deliverer, "take_turn", lambda e, over: take_turn(e, over, send))
    for url in (*dead, *(f"https://alive.example.com/{n}" for n in range(ENDPOINTS - DEAD))):
        managing.create(url, ["order.placed"], user_id=None, description="", by="a test")
    stop = StopRequest()
    running = threading.Thread(target=deliverer.Deliverer().run, args=(stop,))
    running.start()
    try:
        for number in range(2):
            heard_of(orderId=f"{number:024x}")
        alive = 2 * (ENDPOINTS - DEAD)
        eventually(lambda: deliveries().count_documents({"state": "delivered"}) == alive, 20)
        assert not released.is_set()
        assert deliveries().count_documents({"state": "pending"}) == 2 * DEAD
    finally:
        released.set()
        stop.request()
        running.join(20)
    assert not running.is_alive()


def test_a_deliverer_that_is_asked_to_stop_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliverer.waking, "claim", lambda *_, **__: None)
    stop = StopRequest()
    stop.request()

    began = time.monotonic()
    deliverer.Deliverer().run(stop)

    assert time.monotonic() - began < 1


@pytest.mark.parametrize(("standing", "failures"), [(Standing.NEW, 0), (Standing.FAILS, 3)])
def test_those_in_doubt_leave_places_to_others(
    monkeypatch: pytest.MonkeyPatch, standing: Standing, failures: int
) -> None:
    waiting = threading.Event()
    claimed = 0
    stop = StopRequest()

    def claim(full: list[str], busy: list[str], free: list[Standing]) -> dict[str, Any] | None:
        nonlocal claimed
        if standing not in free:
            assert Standing.WORKS in free
            stop.request()
            waiting.set()
            return None
        claimed += 1
        return {"_id": str(claimed), "failures": failures, "last_success_at": None}

    monkeypatch.setattr(deliverer.waking, "claim", claim)
    monkeypatch.setattr(deliverer, "take_turn", lambda *_: waiting.wait(10))

    deliverer.Deliverer().run(stop)

    assert claimed == deliverer.MOST[standing] < deliverer.PLACES
