"""How often a client may come: 429 with when to come back, on both ways of a request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpResponse

from orders.group_commit import TooManyWaiting
from ordersite.access import bearer
from ordersite.access.scopes import SCOPES
from ordersite.web.rates import WINDOW_SECONDS, Rates
from runtime.requests import token_buckets
from runtime.requests.caller import Caller
from tests.asgi_client import request_headers, response_of, run_as_server, scope_of

pytestmark = pytest.mark.usefixtures("clean")

OF_AN_ADDRESS, OF_A_CLIENT = 2, 4
SHOP = "ordersite_shop"
ORDER = b'{"userId": 101, "items": ["book"]}'


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The site with low rates, whose fast path is always too busy to ask MongoDB."""
    from ordersite.asgi import routed
    from ordersite.asgi import site as ordinary
    from ordersite.web.fast_path import FastPath

    async def busy(*_: Any) -> None:
        raise TooManyWaiting

    monkeypatch.setattr(FastPath, "_place", busy)
    return routed(FastPath(ordinary), Rates(OF_AN_ADDRESS, OF_A_CLIENT))


@pytest.fixture(autouse=True)
def frozen_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_buckets, "time", SimpleNamespace(monotonic=lambda: 1_000.0))


@pytest.fixture
def known() -> Iterator[None]:
    """Callers who were found by their keys a moment ago."""
    for key, rate in ((SHOP, None), ("ordersite_fast", 8)):
        caller = Caller(f"key:{key}", key, frozenset(SCOPES), rate=rate)
        bearer.remembered.keep(bearer.digest_of(key.encode()), caller, 60)
    yield
    bearer.remembered.forget()


def ask(
    site: Any,
    path: str = "/nothing",
    key: str = "",
    address: str = "10.0.0.1",
    body: bytes = b"",
    spelt: str = "Bearer {}",
) -> HttpResponse:
    events: list[Any] = []
    pieces = [body]

    async def receive() -> Any:
        return {"type": "http.request", "body": pieces.pop()}

    async def send(event: Any) -> None:
        events.append(event)

    async def answer() -> HttpResponse:
        given = {"authorization": spelt.format(key)} if key else {}
        headers = request_headers(body, "application/json" if body else None, given)
        scope = scope_of("POST" if body else "GET", path, headers) | {"client": (address, 1)}
        await site(scope, receive, send)
        return response_of(events)

    return run_as_server(answer())


def place(site: Any, **options: Any) -> HttpResponse:
    return ask(site, "/orders", body=ORDER, **options)


def test_an_address_sends_at_once_what_it_may_and_then_waits(site: Any) -> None:
    answers = [ask(site) for _ in range(OF_AN_ADDRESS * WINDOW_SECONDS + 1)]

    assert {each.status_code for each in answers[:-1]} == {404}
    refused = answers[-1]
    assert (refused.status_code, refused["Retry-After"]) == (429, "1")
    assert refused["Content-Type"] == "application/problem+json"
    assert "2 requests a second" in refused.json()["detail"]
    assert "Content-Security-Policy" in refused
    assert ask(site, address="10.0.0.2").status_code == 404


def test_every_answer_tells_what_is_left(site: Any) -> None:
    first, second = ask(site), ask(site)

    assert first["RateLimit-Policy"] == second["RateLimit-Policy"] == '"address";q=20;w=10'
    assert (first["RateLimit"], second["RateLimit"]) == ('"address";r=19;t=1', '"address";r=18;t=2')
    refused = [ask(site) for _ in range(19)][-1]
    assert refused["RateLimit"] == '"address";r=0;t=11'


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("key", "policy"), [(SHOP, '"client";q=40;w=10'), ("ordersite_fast", '"client";q=80;w=10')]
)
def test_a_client_counts_by_its_key_on_both_ways(site: Any, key: str, policy: str) -> None:
    quota = int(re.findall(r"q=(\d+)", policy)[0])

    fast, ordinary = place(site, key=key), ask(site, key=key, address="10.0.0.9")
    answers = [place(site, key=key, address="10.0.0.2") for _ in range(quota - 1)]

    assert (fast.status_code, ordinary.status_code) == (503, 404)
    assert fast["RateLimit-Policy"] == ordinary["RateLimit-Policy"] == policy
    assert [each.status_code for each in answers] == [503] * (quota - 2) + [429]
    assert ask(site, key=key).status_code == 429
    assert ask(site, address="10.0.0.2").status_code == 404


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("spelt", ["bearer {}", "BEARER {}", "Bearer  {}", "Bearer {} "])
def test_a_client_counts_by_its_key_however_the_header_is_spelt(site: Any, spelt: str) -> None:
    fast, ordinary = place(site, key=SHOP, spelt=spelt), ask(site, key=SHOP, spelt=spelt)

    assert [each["RateLimit"] for each in (fast, ordinary)] == [
        '"client";r=39;t=1',
        '"client";r=38;t=1',
    ]


@pytest.mark.usefixtures("known")
def test_a_key_that_nobody_was_found_by_counts_for_its_address(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(header: str) -> Caller:
        raise bearer.refused("the key is unknown")

    monkeypatch.setattr(bearer, "caller", unknown)
    answers = [place(site, key=f"ordersite_{each}").status_code for each in range(30)]

    assert answers == [401] * 20 + [429] * 10
    assert place(site, key=SHOP).status_code == 503


def test_a_shop_that_comes_back_from_a_pause_counts_for_itself(
    site: Any,
) -> None:
    shop = Caller("key:shop", "a shop", frozenset(SCOPES))
    bearer.remembered.keep(bearer.digest_of(SHOP.encode()), shop, 0)

    answers = [ask(site, key=SHOP) for _ in range(OF_A_CLIENT * WINDOW_SECONDS + 1)]

    assert [each.status_code for each in answers] == [404] * (len(answers) - 1) + [429]
    assert '"client"' in answers[0]["RateLimit"]
    bearer.remembered.forget()


def test_probes_are_not_counted(site: Any) -> None:
    for _ in range(30):
        ask(site)

    answers = [ask(site, "/health/live") for _ in range(30)]

    assert {each.status_code for each in answers} == {200}
    assert "RateLimit" not in answers[0]


def test_without_rates_nothing_is_counted_or_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from ordersite.asgi import routed
    from ordersite.asgi import site as ordinary

    open_ = routed(ordinary, Rates(0, 0))

    answers = [ask(open_) for _ in range(100)]

    assert {each.status_code for each in answers} == {404}
    assert "RateLimit" not in answers[0]
