"""OWASP API2:2023: an access token (RFC 9068) is taken only if the issuer made it for this site."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client, override_settings

from ordersite.access import signing_keys, tokens
from ordersite.access.bearer import remembered
from ordersite.access.signing_keys import LEAST_SECONDS_BETWEEN, KeysUnavailable, SigningKeys
from ordersite.access.tokens import IssuerAway
from runtime.requests.caller import Unauthenticated
from tests.asgi_client import AsgiClient
from tests.security.issuer import AUDIENCE, ISSUER, Issuer, claims, issuer, unsigned


@pytest.fixture(scope="module")
def running() -> Iterator[Issuer]:
    with issuer() as found:
        found.add_key("elliptic", "EC")
        yield found


@pytest.fixture(autouse=True)
def without_mongodb(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock that all share is this machine's."""
    monkeypatch.setattr("ordersite.access.tokens.about_now", lambda: datetime.now(UTC))


@pytest.fixture
def issued(running: Issuer) -> Iterator[Issuer]:
    """The issuer, whom the site trusts."""
    tokens.signing_keys.cache_clear()
    remembered.forget()
    named = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE, "JWT_JWKS_URL": running.url}
    with override_settings(**named):
        yield running
    remembered.forget()


@pytest.mark.parametrize("key_id", ["first", "elliptic"])
def test_a_token_says_who_calls_and_what_they_may(issued: Issuer, key_id: str) -> None:
    caller, ends_at = tokens.read(issued.token(key_id))

    assert caller.user_id == 101
    assert caller.scopes == {"orders:place", "orders:read"}
    assert ends_at.timestamp() == pytest.approx(time.time() + 610, abs=5)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [AUDIENCE, "another"]},
        {"user_id": "101"},
        {"header": {"typ": "application/AT+JWT"}},
        {"jti": "x", "nbf": 1, "more": {"deep": [1]}},
    ],
    ids=str,
)
def test_what_the_standard_allows_is_taken(issued: Issuer, changes: dict[str, Any]) -> None:
    assert tokens.read(issued.token(**changes))[0].user_id == 101


def test_clocks_may_be_some_seconds_apart(issued: Issuer) -> None:
    assert tokens.read(issued.token(exp=int(time.time()) - 2))


@pytest.mark.parametrize("ahead_seconds", [3_600, -3_600])
def test_the_times_of_a_token_are_judged_by_the_clock_that_all_share(
    issued: Issuer, monkeypatch: pytest.MonkeyPatch, ahead_seconds: int
) -> None:
    """Of two web processes whose clocks are an hour apart both take a token, or none does."""
    shared = datetime.now(UTC) + timedelta(seconds=ahead_seconds)
    monkeypatch.setattr("ordersite.access.tokens.about_now", lambda: shared)
    now = int(shared.timestamp())

    assert tokens.read(issued.token(iat=now - 60, nbf=now - 60, exp=now + 60))
    for changes, why in (
        ({"iat": now - 120, "exp": now - 60}, "expired"),
        ({"iat": now, "nbf": now + 60, "exp": now + 120}, "not valid yet"),
        ({"iat": now + 60, "exp": now + 120}, "not valid yet"),
    ):
        with pytest.raises(Unauthenticated) as refused:
            tokens.read(issued.token(**changes))
        assert why in refused.value.challenge


@pytest.mark.parametrize(
    "changes",
    [
        *({"iss": "https://elsewhere.example/"}, {"iss": None}, {"iss": ISSUER.rstrip("/")}),
        *({"aud": "https://elsewhere.example"}, {"aud": None}, {"aud": []}),
        *({"exp": 1_700_000_000}, {"exp": None}, {"exp": "soon"}, {"exp": [1]}, {"exp": {}}),
        *({"iat": [1]}, {"nbf": {}}, {"exp": True}, {"exp": 1e400}, {"sub": "\ud800"}),
        *({"nbf": 2**32}, {"iat": 2**32}, {"nbf": [1]}, {"iat": "x"}, {"sub": None}),
        *({"user_id": None}, {"user_id": 0}, {"user_id": -1}, {"user_id": True}),
        *({"user_id": 1.5}, {"user_id": [101]}, {"user_id": ""}, {"user_id": "101 "}),
        *({"user_id": 2**63}, {"user_id": "**"}, {"header": {"typ": "JWT"}}),
        *({"header": {"typ": "id+jwt"}}, {"header": {"kid": "other"}}, {"header": {"kid": ""}}),
        *({"header": {"crit": ["x"], "x": 1}}, {"header": {"jku": "x", "kid": "../first"}}),
    ],
    ids=str,
)
def test_what_is_not_for_this_site_is_refused(issued: Issuer, changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated) as refused:
        tokens.read(issued.token(**changes))

    assert 'error="invalid_token"' in refused.value.challenge


def test_a_customers_token_never_does_what_the_staff_does(issued: Issuer) -> None:
    scope = "orders:read failed-messages:replay api-keys:write"

    assert tokens.read(issued.token(scope=scope))[0].scopes == {"orders:read"}
    shop, _ = tokens.read(issued.token(scope=scope, user_id="*"))
    assert (shop.scopes, shop.user_id) == (set(scope.split()), None)
    for nothing in (None, "", ["orders:read"], 5):
        assert not tokens.read(issued.token(scope=nothing))[0].scopes


HEADER = {"typ": "at+jwt", "kid": "first"}


def forged(running: Issuer) -> dict[str, str]:
    """What somebody makes who has the public key alone."""
    good = running.token()
    head, body, signature = good.split(".")
    public = json.dumps(running.public[0]).encode()
    signing = unsigned({**HEADER, "alg": "HS256"}, claims()).rstrip(".")
    code = hmac.new(public, signing.encode(), hashlib.sha256).digest()
    other = unsigned({}, claims() | {"user_id": 102}).split(".")[1]
    own = {**HEADER, "alg": "RS256", "jwk": running.public[0]}
    return {
        "none": unsigned({**HEADER, "alg": "none"}, claims()),
        "None": unsigned({**HEADER, "alg": "None"}, claims(), "AA"),
        "no alg": unsigned(HEADER, claims()),
        "alg is a list": unsigned({**HEADER, "alg": ["RS256"]}, claims(), signature),
        "signed with the public key": f"{signing}.{base64.urlsafe_b64encode(code).decode()}",
        "another algorithm": unsigned({**HEADER, "alg": "ES256"}, claims(), signature),
        "another body": f"{head}.{other}.{signature}",
        "no signature": f"{head}.{body}.",
        "another signature": f"{head}.{body}.{'A' * len(signature)}",
        "key of its own": unsigned(own, claims(), signature),
        "deep": unsigned({**HEADER, "alg": "RS256"}, b"[" * 3_000, signature),
        "deep head": base64.urlsafe_b64encode(b"[" * 3_000).decode() + ".e30.AA",
        "no JSON": "e30=.e30=.e30=",
        "one part": "e30",
        "five parts": "e30.e30.e30.e30.e30",
        "no base64": "é.é.é",
        "kid is an object": unsigned({"typ": "at+jwt", "alg": "RS256", "kid": {}}, claims(), "AA"),
    }


def test_whoever_has_the_public_key_alone_is_refused(issued: Issuer) -> None:
    for name, token in forged(issued).items():
        with pytest.raises(Unauthenticated):
            pytest.fail(f"{name} is {tokens.read(token)}")


def test_without_the_setting_no_token_is_taken(running: Issuer) -> None:
    with pytest.raises(Unauthenticated):
        tokens.read(running.token())


def test_the_keys_are_fetched_once_and_unknown_ones_at_most_every_few_seconds(
    issued: Issuer,
) -> None:
    before = issued.asked
    for _ in range(5):
        tokens.read(issued.token())
    for number in range(5):
        with pytest.raises(Unauthenticated):
            tokens.read(issued.token(header={"kid": f"guess {number}"}))

    assert issued.asked == before + 1


def test_whoever_comes_while_the_first_keys_are_fetched_waits_for_them(running: Issuer) -> None:
    keys, before = SigningKeys(running.url), running.asked

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(keys.get, ["first"] * 8))

    assert all(found)
    assert running.asked == before + 1


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.passed = 0.0
        now = time.monotonic()
        monkeypatch.setattr(
            "ordersite.access.signing_keys.time.monotonic", lambda: now + self.passed
        )


def test_a_key_that_the_issuer_adds_is_taken_and_one_that_it_removes_is_not(
    running: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, keys = Clock(monkeypatch), SigningKeys(running.url)
    running.add_key("old", "EC")
    assert keys.get("old")
    running.add_key("new", "EC")
    running.remove_key("old")

    clock.passed += LEAST_SECONDS_BETWEEN
    assert keys.get("new")
    assert keys.get("old") is None


def test_an_issuer_that_is_away_ends_no_service_for_a_while(
    issued: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    assert tokens.read(issued.token())
    issued.is_away = True
    try:
        clock.passed += 1_000
        assert tokens.read(issued.token())
        clock.passed += 3_000
        with pytest.raises(IssuerAway):
            tokens.read(issued.token())
    finally:
        issued.is_away = False


def test_an_issuer_that_answers_a_byte_at_a_time_holds_nobody_up_for_long(
    running: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_keys, "ANSWER_SECONDS", 0.2)
    # Its answer has some 400 bytes.
    running.bytes_a_piece, running.seconds_a_piece = 1, 0.2
    began = time.monotonic()
    try:
        with pytest.raises(KeysUnavailable):
            SigningKeys(running.url).get("first")
    finally:
        running.bytes_a_piece, running.seconds_a_piece = 0, 0.0

    assert time.monotonic() - began < 30


def test_keys_without_end_are_not_read(running: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_keys, "MOST_BYTES", 100)

    with pytest.raises(KeysUnavailable):
        SigningKeys(running.url).get("first")


@pytest.mark.usefixtures("closed")
def test_a_customer_with_a_token_places_orders_by_both_ways(issued: Issuer) -> None:
    django, hot = Client(raise_request_exception=False), AsgiClient()
    headers = {"host": "localhost", "authorization": f"Bearer {issued.token()}"}

    for client in (django, hot, hot):
        for user_id, status in ((101, 201), (102, 403)):
            body = json.dumps({"userId": user_id, "items": ["book"]})
            answer = client.post("/orders", body, content_type="application/json", headers=headers)
            assert answer.status_code == status


@pytest.mark.usefixtures("closed")
def test_a_customer_gets_no_answer_that_another_one_of_the_same_subject_got(
    issued: Issuer,
) -> None:
    """A program has one subject, and may act for a customer after the other (RFC 9068, 2.2)."""
    client = Client(raise_request_exception=False)

    def send(path: str, user_id: int, body: object = None) -> Any:
        token = issued.token(user_id=user_id, scope="orders:place orders:cancel")
        headers = {"authorization": f"Bearer {token}", "idempotency-key": "k", "host": "localhost"}
        return client.post(path, json.dumps(body), "application/json", headers=headers)

    placed = send("/orders", 101, {"userId": 101, "items": ["book"]}).json()
    cancel = f"/orders/{placed['order']['orderId']}/cancel"

    assert [send(cancel, 101, {}).status_code for _ in range(2)] == [200, 200]
    other = send(cancel, 102, {})
    assert other.status_code == 404
    assert "book" not in other.text


@pytest.mark.usefixtures("closed")
def test_a_program_numbers_its_keys_for_each_of_its_customers(issued: Issuer) -> None:
    client = Client(raise_request_exception=False)
    scope = "orders:place orders:cancel"

    def send(path: str, user_id: int, body: object) -> Any:
        token = issued.token(user_id=user_id, scope=scope)
        headers = {"authorization": f"Bearer {token}", "idempotency-key": "1", "host": "localhost"}
        return client.post(path, json.dumps(body), "application/json", headers=headers)

    def of(user_id: int) -> list[tuple[int, bool]]:
        placed = send("/orders", user_id, {"userId": user_id, "items": ["book"]})
        cancel = f"/orders/{placed.json()['order']['orderId']}/cancel"
        answers = [placed, send(cancel, user_id, {})]
        return [(each.status_code, "Idempotent-Replayed" in each) for each in answers]

    for user_id in (101, 102):
        assert of(user_id) == [(201, False), (200, False)]
    assert of(101) == [(201, True), (200, True)]
