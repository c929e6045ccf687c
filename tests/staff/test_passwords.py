"""Basic authentication is fast and for programs alone; a new password changes nothing else."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from ordersite.passwords import backend, known_browser
from ordersite.staff import basic_login, forms
from ordersite.staff.basic_login import NotFromHere, verified_user
from ordersite.staff.forms import ChangeOwnPassword, ChangePassword
from runtime.requests import password_guesses

pytestmark = pytest.mark.usefixtures("clean")

PASSWORD = "right-and-long-enough"


@pytest.fixture
def user() -> User:
    return User.objects.create_superuser("boss", password=PASSWORD)


def request(method: str = "get", **headers: str) -> Any:
    return getattr(RequestFactory(SERVER_NAME="localhost"), method)(
        "/failed-messages", headers=headers
    )


def test_a_verified_login_is_fast_and_ends_with_the_password(user: User) -> None:
    assert verified_user(request(), "boss", PASSWORD) == user
    start = time.perf_counter()
    assert verified_user(request(), "boss", PASSWORD) == user
    assert time.perf_counter() - start < 0.1
    assert not any(PASSWORD.encode() in key for key in basic_login._verified)

    user.set_password("another")
    user.save()
    assert verified_user(request(), "boss", PASSWORD) is None
    assert verified_user(request(), "boss", "another") == user
    User.objects.update(is_active=False)
    assert verified_user(request(), "boss", "another") is None


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "text/plain"},
        {"content-type": "application/json", "origin": "https://elsewhere.example"},
        {"content-type": "application/json", "origin": "null"},
    ],
)
def test_a_page_of_another_site_cannot_use_a_login_that_the_browser_remembers(
    user: User, headers: dict[str, str]
) -> None:
    asked = RequestFactory(SERVER_NAME="localhost").post(
        "/failed-messages/x/replay", b"{}", headers=headers, content_type=headers["content-type"]
    )
    with pytest.raises(NotFromHere):
        verified_user(asked, "boss", PASSWORD)


def test_a_program_and_the_sites_own_page_may(user: User) -> None:
    for headers in ({}, {"origin": "http://localhost"}):
        asked = RequestFactory(SERVER_NAME="localhost").post(
            "/failed-messages/x/replay", b"{}", "application/json", headers=headers
        )
        assert verified_user(asked, "boss", PASSWORD) == user


@pytest.mark.parametrize("form", [ChangePassword, ChangeOwnPassword])
def test_a_new_password_puts_nothing_else_back(user: User, form: Any) -> None:
    as_read = User.objects.get(pk=user.pk)
    User.objects.filter(pk=user.pk).update(is_superuser=False, email="new@example.com")
    new = "entirely-new-and-long"
    sent = {
        "password1": new,
        "password2": new,
        "new_password1": new,
        "new_password2": new,
        "old_password": PASSWORD,
        "usable_password": "true",
    }

    filled = form(as_read, sent)
    assert filled.is_valid(), filled.errors
    filled.save()

    stored = User.objects.get(pk=user.pk)
    assert (stored.is_superuser, stored.email) == (False, "new@example.com")
    assert stored.check_password(new)


def test_the_old_password_is_guessed_no_faster_than_at_the_login(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password_guesses, "OF_A_USER", 3)
    monkeypatch.setattr(forms, "guesses", password_guesses.Guesses())
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    new = {"new_password1": "entirely-new-and-long", "new_password2": "entirely-new-and-long"}

    def answer(old: str) -> int:
        return client.post("/admin/password_change/", {"old_password": old, **new}).status_code

    assert [answer("wrong") for _ in range(4)] == [200, 200, 200, 429]
    assert answer(PASSWORD) == 429
    # The login's own guesses are others'.
    assert verified_user(request(), "boss", PASSWORD) == user


def test_the_pages_of_the_password_use_those_forms(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Any] = []
    monkeypatch.setattr(
        User, "save", lambda self, *_, update_fields=None, **__: written.append(update_fields)
    )
    client = Client(SERVER_NAME="localhost")
    new = "entirely-new-and-long"
    own = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    others = {"password1": new, "password2": new, "usable_password": "true"}
    for path, form in (
        ("/admin/password_change/", own),
        (f"/admin/auth/user/{user.pk}/password/", others),
    ):
        client.force_login(user)
        written.clear()
        assert client.post(path, form).status_code == 302
        assert written == [["password"]]


def test_a_login_in_the_admin_has_the_browser_known(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password_guesses, "OF_A_USER", 1)
    monkeypatch.setattr(backend, "guesses", password_guesses.Guesses())

    def answer(client: Client, password: str, address: str) -> Any:
        form = {"username": "boss", "password": password}
        return client.post("/admin/login/", form, REMOTE_ADDR=address)

    browser, stranger = Client(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
    cookie = answer(browser, PASSWORD, "192.0.2.1").cookies[known_browser.COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert "boss" not in cookie.value
    browser.logout()
    browser.cookies[known_browser.COOKIE] = cookie.value
    refused = [answer(stranger, "wrong", "192.0.2.2") for _ in range(2)]

    assert [each.status_code for each in refused] == [200, 429]
    assert not any(known_browser.COOKIE in each.cookies for each in refused)
    assert answer(stranger, PASSWORD, "192.0.2.3").status_code == 429
    assert answer(browser, PASSWORD, "192.0.2.3").status_code == 302
