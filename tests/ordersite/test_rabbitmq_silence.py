"""How RabbitMQ does not answer: it is not there, or too slow for a page; in memory."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from django.test import override_settings

from ordersite.pipeline import health
from runtime.connecting import BROKER_ERRORS, connect


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket that is bound, and listens once it is told to."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


def silence(listener: socket.socket) -> str:
    url = f"amqp://guest:guest@127.0.0.1:{listener.getsockname()[1]}//"
    with (
        override_settings(AMQP_URL=url),
        pytest.raises(BROKER_ERRORS) as raised,
        health.broker_connection() as broker,
    ):
        connect(broker)
    return health.silence(raised.value)


def test_one_that_does_not_run_is_told_from_one_that_is_slow(listener: socket.socket) -> None:
    assert silence(listener) == health.CLOSED

    listener.listen()

    assert silence(listener) == health.SLOW


def test_anything_else_is_told_by_its_name() -> None:
    assert health.silence(ConnectionResetError()) == "No answer (ConnectionResetError)."
