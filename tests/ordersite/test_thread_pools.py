"""Which request runs next where more wait than may run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from ordersite.web import usage
from ordersite.web.in_threads import in_thread
from ordersite.web.thread_pools import Busy, BusyWithOne, Places
from ordersite.web.usage import Usage
from tests.asgi_client import run_as_server


@pytest.fixture
def used() -> Usage:
    return Usage()


@pytest.fixture
def places(used: Usage) -> Iterator[Places]:
    made = Places("tested", r"", usage=used, threads=1, waiting=5, each=4)
    yield made
    made.threads.shutdown()


async def hold(places: Places, client: str, ran: list[str]) -> None:
    async with places.one(client):
        ran.append(client)
        await asyncio.sleep(0)


async def all_asked(places: Places, *clients: str) -> list[str]:
    """Whose requests ran, in their order, where all were sent while the first one ran."""
    ran: list[str] = []
    await asyncio.gather(*(hold(places, client, ran) for client in clients))
    return ran


def test_a_client_that_asks_for_much_waits_for_itself(places: Places, used: Usage):
    async def asked() -> list[str]:
        used.add("greedy", 2.0)
        return await all_asked(places, "greedy", "greedy", "greedy", "modest", "modest")

    ran = run_as_server(asked())

    assert ran == ["greedy", "modest", "modest", "greedy", "greedy"]


def test_of_one_client_the_oldest_request_is_next(places: Places):
    ran: list[int] = []

    async def numbered(number: int) -> None:
        async with places.one("one"):
            ran.append(number)
            await asyncio.sleep(0)

    async def asked() -> None:
        await asyncio.gather(*(numbered(number) for number in range(4)))

    run_as_server(asked())

    assert ran == [0, 1, 2, 3]


def test_who_hangs_up_while_waiting_holds_up_nobody(places: Places):
    async def asked() -> list[str]:
        ran: list[str] = []
        async with places.one("first"):
            waits = [asyncio.create_task(hold(places, name, ran)) for name in ("gone", "there")]
            await asyncio.sleep(0)
            waits[0].cancel()
        with suppress(asyncio.CancelledError):
            await waits[0]
        await asyncio.wait_for(waits[1], timeout=5)
        await asyncio.wait_for(hold(places, "later", ran), timeout=5)
        return ran

    assert run_as_server(asked()) == ["there", "later"]


def test_who_hangs_up_as_its_turn_comes_passes_it_on(places: Places):
    async def asked() -> list[str]:
        ran: list[str] = []
        async with places.one("first"):
            gone = asyncio.create_task(hold(places, "gone", ran))
            there = asyncio.create_task(hold(places, "there", ran))
            await asyncio.sleep(0)
        # It has its turn, and has not begun.
        gone.cancel()
        await asyncio.wait_for(there, timeout=5)
        return ran

    assert run_as_server(asked()) == ["there"]


def test_what_a_thread_computes_counts_for_the_client(places: Places, used: Usage):
    def computed() -> int:
        began = time.thread_time()
        while time.thread_time() < began + 0.01:
            pass
        return 42

    assert run_as_server(in_thread(places, "one", computed)) == 42
    assert used.seconds_of("one") >= 0.009


def test_more_than_may_wait_are_refused(places: Places):
    async def asked() -> None:
        with pytest.raises(BusyWithOne):
            await all_asked(places, *["one"] * 5)
        await asyncio.sleep(0.01)
        with pytest.raises(Busy):
            await all_asked(places, *"abcdefg")

    run_as_server(asked())


def test_what_a_client_used_counts_less_as_time_goes_by(used: Usage, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(usage.time, "monotonic", lambda: now[0])

    used.add("one", 4.0)
    now[0] += usage.HALF_LIFE_SECONDS
    used.add("one", 1.0)

    assert used.seconds_of("one") == pytest.approx(3.0)
    assert used.seconds_of("other") == 0


def test_of_many_clients_those_are_forgotten_that_used_least(used: Usage, monkeypatch):
    monkeypatch.setattr(usage, "MOST_CLIENTS", 10)

    for number in range(11):
        used.add(f"client {number}", number + 1)

    assert used.seconds_of("client 0") == 0
    assert used.seconds_of("client 10") > 0
