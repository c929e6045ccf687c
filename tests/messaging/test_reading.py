"""Bulk reading leaves the connection as py-amqp needs it, which sometimes reads by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from kombu import Connection

from messaging.adapters import py_amqp
from messaging.consuming.reading import READ_BYTES, read_in_bulk
from messaging.incoming import take_raw
from tests.broker import publish
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("clean")


class Hub:
    """An event loop that reads when the test says so."""

    read: Callable[[], None]

    def add_reader(self, socket: Any, read: Callable[[], None]) -> None:
        self.read = read


@pytest.fixture
def channel() -> Iterator[Any]:
    with Connection(settings.AMQP_URL) as broker, broker.channel() as channel:
        take_raw(channel)
        yield channel


def test_a_delivery_that_has_come_in_part_is_whole_for_the_next_reader(channel: Any) -> None:
    """
    Given half of a large message was read
    When py-amqp waits for an answer, and so reads what comes before it
    Then the message arrives once, whole, and so does the next one, whoever reads it.
    """
    large, small = b"x" * (4 * READ_BYTES), b"y"
    for body in (large, small):
        publish(body, exchange="", routing_key="billing")
    by_amqp: list[bytes] = []
    by_us: list[bytes] = []
    hub = Hub()
    read_in_bulk(channel, hub, lambda message: by_us.append(message.body))
    channel.basic_qos(0, 2, False)
    channel.basic_consume("billing", callback=lambda message: by_amqp.append(message.body))

    eventually(lambda: hub.read() or py_amqp.unread(channel.connection))
    channel.basic_qos(0, 3, False)
    eventually(lambda: hub.read() or len(by_amqp + by_us) == 2)

    assert by_amqp[0] == large
    assert by_amqp + by_us == [large, small]
