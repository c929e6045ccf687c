"""The API as it is outside of development, and clients with keys."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client, override_settings

from runtime.requests.caller import Caller
from tests.orders.conftest import products  # noqa: F401

WithKey = Callable[..., Client]


@pytest.fixture
def closed_api() -> Iterator[None]:
    """Nobody without a key, and no key remembered from another test; in memory."""
    from ordersite.access.bearer import remembered

    remembered.forget()
    with override_settings(API_IS_OPEN=False):
        yield
    remembered.forget()


@pytest.fixture
def closed(products: None, closed_api: None) -> None:  # noqa: F811
    """The same, with a database and a catalogue."""


@pytest.fixture
def with_key(closed: None) -> WithKey:
    """A client whose key has these scopes; of a customer, or of a shop where there is no user."""

    def with_key(*scopes: str, user_id: int | None = None) -> Client:
        return client_of(secret(*scopes, user_id=user_id))

    return with_key


def secret(*scopes: str, user_id: int | None = None, **arguments: Any) -> str:
    """A new key's secret."""
    from ordersite.access import keys

    return keys.create("a test", scopes, by="a test", user_id=user_id, **arguments).secret


def known(*scopes: str, user_id: int | None = None) -> Client:
    """A client that was found a moment ago, so that nobody asks the database who it is."""
    from ordersite.access.bearer import digest_of, remembered

    token = f"ordersite_{uuid.uuid4()}"
    caller = Caller(f"key:{token}", "a test", frozenset(scopes), user_id)
    remembered.keep(digest_of(token.encode()), caller, seconds=60)
    return client_of(token)


def client_of(token: str) -> Client:
    headers = {"host": "localhost", "authorization": f"Bearer {token}"}
    return Client(raise_request_exception=False, headers=headers)
