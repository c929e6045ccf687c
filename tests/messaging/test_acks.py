"""The messages of a batch are acked together, and no settled message is kept."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from kombu import Connection

from messaging.consuming.acks import Acks
from messaging.incoming import take_raw
from tests.broker import depth, publish
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture
def channel() -> Iterator[Any]:
    with Connection(settings.AMQP_URL) as broker, broker.channel() as channel:
        take_raw(channel)
        yield channel


def get(channel: Any, acks: Acks) -> Any:
    """One message off billing's queue, not yet acked."""
    message = channel.message_to_python(channel.basic_get("billing"))
    acks.delivered(message)
    return message


def test_a_batch_leaves_alone_what_is_still_being_handled(channel: Any) -> None:
    acks = Acks(channel)
    for number in range(5):
        publish(b"%d" % number, exchange="", routing_key="billing")
    messages = [get(channel, acks) for _ in range(5)]

    acks.ack([messages[0], messages[1], messages[3], messages[4]])
    channel.close()

    eventually(lambda: depth("billing") == 1)


def test_a_message_that_was_settled_alone_is_let_go(channel: Any) -> None:
    """Given a quiet system, where no batch ever forms, then nothing piles up in memory."""
    acks = Acks(channel)
    for _ in range(2):
        publish(b"{}", exchange="", routing_key="billing")
    message = get(channel, acks)
    settled = weakref.ref(message)
    message.ack()
    del message

    get(channel, acks)

    assert settled() is None
