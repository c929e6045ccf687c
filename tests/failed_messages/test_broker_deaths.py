"""Deaths that no worker could certify: RabbitMQ's own notes say what happened."""

from __future__ import annotations

import json
import os

import pytest
from kombu import Connection

from tests import broker
from tests.failed_messages.letters import BODY, archive_next, certificate
from tests.polling import eventually
from tests.settled_rabbitmq import SettledRabbitMQ

pytestmark = pytest.mark.usefixtures("clean")


def reject(requeue: bool) -> bool:
    """Take the next message of billing's queue and reject it; False where there is none."""
    with Connection(os.environ["AMQP_URL"]) as connection:
        message = connection.channel().basic_get("billing")
        if message is not None:
            message.channel.basic_reject(message.delivery_tag, requeue=requeue)
        return message is not None


def died() -> bool:
    return broker.depth("billing.dlq") == 1


def to_billing(**properties: object) -> None:
    broker.publish(BODY, exchange="", routing_key="billing", **properties)


def test_a_message_that_comes_back_too_often_is_not_said_to_have_killed_anybody(
    rabbitmq: SettledRabbitMQ,
):
    rabbitmq.control("set_policy", "soon", "^billing$", '{"delivery-limit": 3}')
    try:
        to_billing(message_id="a")
        while not died():
            reject(requeue=True)
    finally:
        rabbitmq.control("clear_policy", "soon")

    stored = archive_next()

    assert (stored.reason, stored.attempts) == ("returned", 0)
    assert "came back to queue billing time after time" in stored.message
    assert "killed" not in stored.message


def test_a_plain_reject_is_reported_with_the_attempts_before_it():
    attempts = certificate()["attempts"]
    to_billing(message_id="a", headers={"attempts": json.dumps(attempts)})
    eventually(lambda: reject(requeue=False))
    eventually(died)

    stored = archive_next()

    assert (stored.reason, stored.attempts) == ("rejected", 2)
    assert "could not say why" in stored.message


def test_a_message_that_expired_says_so():
    to_billing(message_id="a", expiration="1")
    eventually(died)

    assert archive_next().reason == "expired"


def test_a_body_without_any_property_still_finds_its_order():
    to_billing(expiration="1")
    eventually(died)

    stored = archive_next()

    assert stored.order_id == "674300000000000000000001"
    assert stored.message_id.startswith("no-id-")
