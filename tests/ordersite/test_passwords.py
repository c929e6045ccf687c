"""Passwords are tried few at a time, and wrong ones not without end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.http import HttpResponse
from django.test import RequestFactory

from ordersite.passwords import backend, hasher, known_browser
from runtime.requests import password_guesses as guessing
from runtime.requests.password_guesses import Guesses, TooManyGuesses
from tests.concurrency import at_once


@pytest.fixture(autouse=True)
def guesses(monkeypatch: pytest.MonkeyPatch) -> Guesses:
    own = Guesses()
    monkeypatch.setattr(backend, "guesses", own)
    return own


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names for which a password was computed; `right` is the right one."""
    names: list[str] = []

    def check(self: Any, request: Any, username: str, password: str, **_: Any) -> Any:
        names.append(username)
        return object() if password == "right" else None

    monkeypatch.setattr(ModelBackend, "authenticate", check)
    return names


def log_in(user: str, password: str, address: str = "10.0.0.1") -> Any:
    request = RequestFactory().get("/", REMOTE_ADDR=address)
    return backend.FewGuesses().authenticate(request, user, password)


def test_an_address_guesses_some_times_and_then_nothing_is_computed(tried: list[str]) -> None:
    for number in range(guessing.OF_AN_ADDRESS):
        assert log_in(f"user-{number}", "wrong") is None

    with pytest.raises(TooManyGuesses) as refused:
        log_in("somebody", "right")

    assert refused.value.status_code == 429
    assert 0 < refused.value.wait <= guessing.WINDOW_SECONDS
    assert len(tried) == guessing.OF_AN_ADDRESS
    assert log_in("somebody", "right", address="10.0.0.2")


def test_a_user_is_guessed_some_times_from_wherever(tried: list[str]) -> None:
    for number in range(guessing.OF_A_USER):
        assert log_in("Operator", "wrong", address=f"10.0.1.{number}") is None

    with pytest.raises(TooManyGuesses):
        log_in("operator", "wrong", address="10.0.2.1")

    assert log_in("another", "right", address="10.0.2.1")


def guessed_from_everywhere(name: str) -> None:
    """As an attacker with many addresses does for as long as they like."""
    for number in range(guessing.OF_A_USER):
        log_in(name, "wrong", address=f"10.0.1.{number}")
    with pytest.raises(TooManyGuesses):
        log_in(name, "right", address="10.0.2.1")


def test_nobody_keeps_a_user_out_of_where_they_have_logged_in_before(tried: list[str]) -> None:
    assert log_in("operator", "right", address="192.0.2.7")
    guessed_from_everywhere("Operator")

    assert log_in("operator", "wrong", address="192.0.2.7") is None
    assert log_in("Operator", "right", address="192.0.2.7")
    with pytest.raises(TooManyGuesses):
        log_in("operator", "right", address="192.0.2.8")


def test_nobody_keeps_a_user_out_of_a_browser_that_knows_them(tried: list[str]) -> None:
    answer = HttpResponse()
    known_browser.remember(answer, "operator")
    guessed_from_everywhere("operator")

    def with_browser(user: str, password: str, address: str) -> Any:
        request = RequestFactory().get("/", REMOTE_ADDR=address)
        request.COOKIES = {name: morsel.value for name, morsel in answer.cookies.items()}
        return backend.FewGuesses().authenticate(request, user, password)

    assert with_browser("Operator", "right", "192.0.2.9")
    # Nor does who shares an address with it, as behind one proxy.
    for number in range(guessing.OF_AN_ADDRESS):
        log_in(f"user-{number}", "wrong", address="192.0.2.9")
    with pytest.raises(TooManyGuesses):
        log_in("operator", "right", address="192.0.2.9")
    assert with_browser("operator", "right", "192.0.2.9")
    # It says nothing for others, and has a bound of its own.
    guessed_from_everywhere("another")
    with pytest.raises(TooManyGuesses):
        with_browser("another", "right", "192.0.2.10")
    for number in range(guessing.OF_A_USER):
        assert with_browser("operator", "wrong", f"10.1.0.{number}") is None
    with pytest.raises(TooManyGuesses):
        with_browser("operator", "right", "10.1.1.1")


def test_a_cookie_that_somebody_made_knows_nobody(tried: list[str]) -> None:
    guessed_from_everywhere("operator")
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.9")
    request.COOKIES = {known_browser.COOKIE: "operator"}

    with pytest.raises(TooManyGuesses):
        backend.FewGuesses().authenticate(request, "operator", "right")


def test_addresses_where_users_are_known_have_a_bound(
    guesses: Guesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guessing, "MOST_KNOWN", 2)
    for number in range(3):
        address = f"192.0.2.{number}"
        guesses.was_right(guesses.begin(address, "operator"), address, "operator")

    assert len(guesses._known) == 2


def test_one_network_of_ipv6_is_one_address(tried: list[str]) -> None:
    for number in range(guessing.OF_AN_ADDRESS):
        log_in(f"user-{number}", "wrong", address=f"2001:db8::{number:x}")

    with pytest.raises(TooManyGuesses):
        log_in("somebody", "wrong", address="2001:db8::ffff:1")
    assert log_in("somebody", "right", address="2001:db8:0:1::1")


def test_right_ones_are_not_counted(tried: list[str]) -> None:
    assert all(log_in("operator", "right") for _ in range(10 * guessing.OF_A_USER))


def test_many_at_once_are_counted_before_any_is_known_to_be_wrong(
    tried: list[str], guesses: Guesses
) -> None:
    def guess() -> bool:
        try:
            log_in("operator", "wrong")
        except TooManyGuesses:
            return False
        return True

    assert sum(at_once([guess] * 24)) == len(tried) == guessing.OF_AN_ADDRESS


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many passwords were computed at the same time, at each of them."""
    running, seen, lock = 0, [], threading.Lock()
    encode = PBKDF2PasswordHasher.encode

    def counted(self: Any, password: str, salt: str, iterations: Any = None) -> str:
        nonlocal running
        with lock:
            running += 1
            seen.append(running)
        time.sleep(0.02)
        with lock:
            running -= 1
        return encode(self, password, salt, 1)

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", counted)
    return seen


def test_few_are_computed_at_a_time(slow: list[int]) -> None:
    at_once([lambda: make_password("a password")] * 8)

    assert len(slow) == 8
    assert max(slow) <= hasher.PLACES


def test_whoever_would_wait_for_long_is_told_to_come_back(
    slow: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hasher, "WAIT_SECONDS", 0.001)

    def compute() -> int:
        try:
            make_password("a password")
        except hasher.HashingIsBusy as busy:
            return busy.status_code
        return 200

    assert set(at_once([compute] * 12)) == {200, 503}


def test_a_password_that_djangos_own_hasher_stored_is_still_right() -> None:
    stored = PBKDF2PasswordHasher().encode("a password", "salt", 1)

    assert hasher.FewAtATime().verify("a password", stored)
    assert not hasher.FewAtATime().verify("another", stored)
