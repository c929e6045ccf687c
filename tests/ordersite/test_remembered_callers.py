"""A caller that goes on sending is found out again before its time is over, or after it; once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from ordersite.access import bearer
from ordersite.access.refused import refused
from ordersite.access.renewals import Renewals
from runtime.requests.caller import Caller, Unauthenticated
from tests.polling import eventually

HEADER = b"Bearer a-key"
CALLER = Caller(id="key:1", name="a key", scopes=frozenset(), user_id=None)


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.monotonic()
        clock = SimpleNamespace(monotonic=lambda: self.now)
        monkeypatch.setattr("ordersite.access.remembered.time", clock)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The tokens that were read."""
    tokens: list[str] = []

    def read(token: str) -> tuple[Caller, None]:
        tokens.append(token)
        return CALLER, None

    monkeypatch.setattr(bearer.tokens, "read", read)
    bearer.remembered.forget()
    yield tokens
    bearer.remembered.forget()


def test_it_is_read_again_once_and_nobody_waits_for_it(
    monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    bearer.caller(HEADER.decode())
    clock = Clock(monkeypatch)
    clock.now += 2.4
    assert [bearer.known_caller(HEADER) for _ in range(3)] == [CALLER] * 3
    assert asked == ["a-key"], "half of the time is not over"

    clock.now += 0.2
    assert [bearer.known_caller(HEADER) for _ in range(256)] == [CALLER] * 256
    eventually(lambda: asked == ["a-key"] * 2)

    clock.now += 4
    eventually(lambda: bearer.known_caller(HEADER) == CALLER)


def test_an_ended_one_is_not_known_any_more(
    monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    bearer.caller(HEADER.decode())
    clock = Clock(monkeypatch)

    def ended(token: str) -> None:
        raise refused("the key is revoked")

    monkeypatch.setattr(bearer.tokens, "read", ended)
    clock.now += 2.6
    assert bearer.known_caller(HEADER) == CALLER

    eventually(lambda: bearer.known_caller(HEADER) is None)


def test_who_comes_after_its_time_is_asked_anew(
    monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    bearer.caller(HEADER.decode())
    clock = Clock(monkeypatch)
    clock.now += 5.1

    assert bearer.known_caller(HEADER) is None
    assert bearer.caller(HEADER.decode()) == CALLER
    assert asked == ["a-key"] * 2


def renew(times: int) -> list[Caller | BaseException | None]:
    async def together() -> list[Caller | BaseException | None]:
        renewals = Renewals()
        each = [renewals.caller(HEADER) for _ in range(times)]
        return await asyncio.gather(*each, return_exceptions=True)

    return asyncio.run(together())


def test_all_requests_after_a_pause_wait_for_one_question(
    monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    assert renew(1) == [None], "who was never known is for the view to find out"
    bearer.caller(HEADER.decode())
    Clock(monkeypatch).now += 60

    assert renew(256) == [CALLER] * 256
    assert asked == ["a-key"] * 2
    assert bearer.known_caller(HEADER) == CALLER


def test_all_requests_of_an_ended_key_are_refused_and_it_is_not_known_lately_either(
    monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    bearer.caller(HEADER.decode())
    Clock(monkeypatch).now += 60

    def ended(token: str) -> None:
        raise refused("the key is revoked")

    monkeypatch.setattr(bearer.tokens, "read", ended)
    assert {type(each) for each in renew(20)} == {Unauthenticated}
    assert bearer.last_caller(HEADER) is None
