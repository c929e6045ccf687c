"""A publish is finished when the broker has taken responsibility, and says so when it has not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from kombu import Connection

from localservices.rabbitmq import RabbitMQ
from messaging.errors import PublishError, Unroutable
from messaging.message import Message
from messaging.publishing.publisher import Outgoing, Publisher
from tests.broker import depth, take, take_all
from tests.messages import order_placed

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher(settings.AMQP_URL) as publisher:
        yield publisher


@pytest.fixture
def short_queue() -> Iterator[str]:
    """A queue that refuses its second message."""
    arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
    with Connection(settings.AMQP_URL) as broker:
        channel = broker.channel()
        channel.queue_declare("short", auto_delete=False, arguments=arguments)
        yield "short"
        channel.queue_delete("short")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CONFIRM_TIMEOUT_SECONDS", 1)


def placed(number: int) -> Message:
    return order_placed(f"order-{number}")


def to(queue: str, number: int = 1) -> Outgoing:
    return Outgoing(placed(number), "", queue)


def test_every_subscriber_gets_the_event_with_its_properties(publisher: Publisher) -> None:
    publisher.publish([Outgoing(placed(1), "order_events", "order.placed")])

    for queue in ("inventory", "billing"):
        message = take(queue)
        assert message.body == b'{"orderId":"order-1"}'
        assert message.content_type == "application/json"
        assert message.headers["order-version"] == 1
        properties = message.properties
        assert properties["message_id"] == "order.placed:order-1"
        assert properties["type"] == "order.placed"
        assert properties["correlation_id"] == "order-1"
        assert properties["delivery_mode"] == 2


def test_more_than_one_round_arrives_in_order(publisher: Publisher) -> None:
    publisher.publish([to("billing", number) for number in range(1_200)])

    assert depth("billing") == 1_200
    assert [take("billing").properties["correlation_id"] for _ in range(3)] == [
        "order-0",
        "order-1",
        "order-2",
    ]


def test_a_message_that_nobody_would_get_is_an_error(publisher: Publisher) -> None:
    with pytest.raises(Unroutable, match="declare_topology") as refused:
        publisher.publish([to("billing", 1), to("no-such-queue", 2), to("billing", 3)])

    assert refused.value.confirmed == {0, 2}
    assert depth("billing") == 2


def test_a_full_queue_is_an_error(publisher: Publisher, short_queue: str) -> None:
    publisher.publish([to(short_queue)])

    with pytest.raises(PublishError, match="full") as refused:
        publisher.publish([to(short_queue), to("billing")])

    assert refused.value.confirmed == {1}


def test_a_frozen_broker_confirms_nothing(
    publisher: Publisher, rabbitmq: RabbitMQ, impatient: None
) -> None:
    publisher.publish([to("billing", 1)])
    rabbitmq.freeze()
    try:
        with pytest.raises(PublishError) as unconfirmed:
            publisher.publish([to("billing", 2)])
    finally:
        rabbitmq.thaw()
    assert unconfirmed.value.confirmed == set()

    # A confirm that came late counts for nobody: the same publisher goes on, and is believed.
    with pytest.raises(Unroutable):
        publisher.publish([to("no-such-queue", 3)])
    publisher.publish([to("billing", 4)])
    assert "order-4" in {each.properties["correlation_id"] for each in take_all("billing")}


def test_a_publisher_goes_on_after_the_broker_was_killed(
    publisher: Publisher, rabbitmq: RabbitMQ
) -> None:
    publisher.publish([to("billing", 1)])
    rabbitmq.kill()
    with pytest.raises(PublishError):
        publisher.publish([to("billing", 2)])
    rabbitmq.start()

    publisher.publish([to("billing", 3)])

    ids = {message.properties["correlation_id"] for message in take_all("billing")}
    assert {"order-1", "order-3"} <= ids
