"""Whatever arrives on `order_events`: it is handled or it dies with a reason, and nobody else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from django.db import connection

from drills.traffic.poison import HEADERS, KINDS, LONE_SURROGATE, NO_JSON, NO_UTF8, Poison
from drills.traffic.poison import publish as publish_poison
from ordersite.simulated_faults.models import SimulatedFault
from tests.broker import amqp_channel, billing_alone, depth, publish, take, user
from tests.polling import eventually
from tests.processes import Processes

ORDER = {
    "orderId": "6743f0000000000000000001",
    "userId": 101,
    "items": [{"sku": "book", "quantity": 1, "unitPrice": "12.50"}],
}
BODY = json.dumps(ORDER).encode()


@pytest.fixture(scope="module")
def billing(module_processes: Processes) -> Processes:
    """One billing worker for all the garbage of this module."""
    module_processes.start("billing")
    return module_processes


def assert_invoiced() -> None:
    eventually(lambda: connection.database.invoices.find_one({"_id": ORDER["orderId"]}))


#: What is wrong with the envelope alone is not a reason to give up the order in it.
ODD = {name: each for name, each in KINDS.items() if each.body == NO_JSON}


@pytest.mark.parametrize("name", ODD)
def test_a_good_order_in_an_odd_envelope_is_handled(
    billing: Processes, clean: None, name: str
) -> None:
    with amqp_channel() as channel:
        good = replace(ODD[name], body=BODY)
        publish_poison(channel, good, name, user=user(), **billing_alone(good))

    assert_invoiced()
    assert depth("billing.dlq") == 0


def test_a_plain_json_message_is_an_order(billing: Processes, clean: None) -> None:
    publish(BODY)

    assert_invoiced()


def test_a_message_of_the_tutorial_says_what_is_missing(billing: Processes, clean: None) -> None:
    publish(json.dumps({"orderId": 1718000000000, "userId": 101, "items": ["book"]}).encode())

    message = eventually(lambda: take("billing.dlq"))

    certificate = json.loads(message.headers["certificate"])
    assert certificate["reason"] == "invalid_body"
    assert "items[0].unitPrice is missing" in certificate["message"]


def test_an_odd_envelope_survives_retries(billing: Processes, clean: None) -> None:
    SimulatedFault.objects.create(service="billing", user_id=101, kind="error")
    odd = Poison(
        BODY,
        properties={"correlation_id": LONE_SURROGATE},
        headers={"x": NO_UTF8, "traceparent": LONE_SURROGATE},
        routing_key=NO_UTF8,
    )
    with amqp_channel() as channel:
        publish_poison(channel, odd, "odd")

    message = eventually(lambda: take("billing.dlq"))

    certificate = json.loads(message.headers["certificate"])
    assert (certificate["reason"], len(certificate["attempts"])) == ("attempts_used_up", 3)
    assert certificate["original"]["routing_key"] == r"\xff\xfe"
    assert certificate["original"]["headers"]["x"] == r"\xff\xfe"
    assert message.properties["message_id"] == "odd"


def test_what_can_be_read_of_a_message_is_kept(billing: Processes, clean: None) -> None:
    """
    Given a message with some bytes that are not UTF-8, also in its routing key
    When it is given up
    Then it keeps its id, and its certificate shows all of it in a form that a person can read.
    """
    odd = Poison(
        BODY,
        properties={"type": "order.placed", "app_id": NO_UTF8},
        headers={"order-version": 3, NO_UTF8: LONE_SURROGATE},
        fields=HEADERS["time beyond every calendar"].fields,
        routing_key=NO_UTF8,
    )
    with amqp_channel() as channel:
        publish_poison(channel, odd, "odd", correlation_id="6743f0")

    message = eventually(lambda: take("billing.dlq"))

    certificate = json.loads(message.headers["certificate"])
    assert certificate["reason"] == "invalid_properties"
    assert (
        "(header when is not a time in seconds: 4611686018427387904; app_id is not UTF-8)"
        in (certificate["message"])
    )
    assert message.body == BODY
    assert message.headers["order-version"] == 3
    shown = {name: message.properties[name] for name in ("message_id", "type", "correlation_id")}
    assert shown == {"message_id": "odd", "type": "order.placed", "correlation_id": "6743f0"}
    original = certificate["original"]
    assert (original["exchange"], original["routing_key"]) == ("order_events", r"\xff\xfe")
    assert original["properties"]["app_id"] == r"\xff\xfe"
    assert original["headers"] == {
        "order-version": 3,
        r"\xff\xfe": r"\ud800",
        "when": 2**62,
    }
