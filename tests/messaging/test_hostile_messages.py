"""Whatever arrives on `order_events`: it is handled or it dies with a reason, and nobody else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from kombu import Connection

from drills.unreadable import publish_unreadable
from tests.broker import publish, take
from tests.polling import eventually
from tests.processes import Processes

ORDER = {
    "orderId": "6743f0000000000000000001",
    "userId": 101,
    "items": [{"sku": "book", "quantity": 1, "unitPrice": "12.50"}],
}
BODY = json.dumps(ORDER).encode()
JSON = {"content_type": "application/json"}


@pytest.fixture(scope="module")
def billing(module_processes: Processes) -> Processes:
    """One billing worker for all the garbage of this module."""
    module_processes.start("billing")
    return module_processes


def dead_in_billing() -> tuple[dict[str, Any], Any]:
    """The certificate and the message of what billing gave up."""
    message = eventually(lambda: take("billing.dlq"))
    return json.loads(message.headers["certificate"]), message


def assert_still_working(order_id: str) -> None:
    """A good order that comes after is invoiced by the same worker."""
    publish(json.dumps({**ORDER, "orderId": order_id}).encode(), type="order.placed", **JSON)
    eventually(lambda: connection.database.invoices.find_one({"_id": order_id}))


BODIES = {
    "empty": (b"", "undecodable"),
    "not JSON": (b"hello", "undecodable"),
    "not UTF-8": (b'{"userId": "\xff\xfe"}', "undecodable"),
    "NaN": (b'{"userId": NaN}', "undecodable"),
    "nested deeply": (b"[" * 100_000 + b"]" * 100_000, "undecodable"),
    "an array": (b"[1, 2]", "invalid_body"),
    "a Celery call": (b'[["x"], {}, {"callbacks": null}]', "invalid_body"),
    "null": (b"null", "invalid_body"),
    "no order": (b"{}", "invalid_body"),
    "operator for an id": (json.dumps({**ORDER, "orderId": {"$gt": ""}}).encode(), "invalid_body"),
    "user too large": (json.dumps({**ORDER, "userId": 2**63}).encode(), "invalid_body"),
    "user null": (json.dumps({**ORDER, "userId": None}).encode(), "invalid_body"),
    "no items": (json.dumps({**ORDER, "items": []}).encode(), "invalid_body"),
    "1,001 items": (json.dumps({**ORDER, "items": ["book"] * 1001}).encode(), "invalid_body"),
    "5 MB": (b'{"padding": "' + b"x" * 5_000_000 + b'"}', "too_large"),
}
PROPERTIES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown type": ({"type": "order.exploded"}, "unknown_type"),
    "another content type": ({"content_type": "text/xml"}, "invalid_properties"),
    "pickle": ({"content_type": "application/x-python-serialize"}, "invalid_properties"),
    "gzip encoding": ({"content_encoding": "gzip"}, "invalid_properties"),
    "Celery task": ({"headers": {"task": "os.system", "id": "1"}}, "invalid_properties"),
    "absurd eta": ({"headers": {"eta": "10000-99-99", "task": "x"}}, "invalid_properties"),
    "eta of another type": ({"headers": {"eta": {"a": [1]}}}, "invalid_properties"),
    "absurd time limit": ({"headers": {"timelimit": ["x", -1]}}, "invalid_properties"),
    "absurd retries": ({"headers": {"retries": -(10**12)}}, "invalid_properties"),
    "callbacks": ({"headers": {"callbacks": [{"task": "x"}]}}, "invalid_properties"),
    "expired": ({"headers": {"expires": "2001-01-01T00:00:00"}}, "invalid_properties"),
}


@pytest.mark.parametrize(("body", "reason"), BODIES.values(), ids=BODIES.keys())
def test_a_bad_body_ends_with_its_reason(
    billing: Processes, clean: None, body: bytes, reason: str
) -> None:
    publish(body, **JSON)

    certificate, message = dead_in_billing()

    assert certificate["reason"] == reason
    assert certificate["message"]
    # py-amqp gives an empty body as text.
    assert (message.body or b"") == body
    assert_still_working("after-a-bad-body")


@pytest.mark.parametrize(("properties", "reason"), PROPERTIES.values(), ids=PROPERTIES.keys())
def test_bad_properties_end_with_their_reason(
    billing: Processes, clean: None, properties: dict[str, Any], reason: str
) -> None:
    publish(BODY, **{**JSON, **properties})

    certificate, message = dead_in_billing()

    assert certificate["reason"] == reason
    assert certificate["original"]["exchange"] == "order_events"
    assert message.body == BODY
    assert_still_working("after-bad-properties")


def test_a_compression_header_unpacks_nothing(billing: Processes, clean: None) -> None:
    publish(BODY, headers={"compression": "zlib"}, **JSON)

    eventually(lambda: connection.database.invoices.find_one({"_id": ORDER["orderId"]}))


def test_a_routing_key_that_is_no_text_is_none_of_our_business(
    billing: Processes, clean: None
) -> None:
    # A lone surrogate is no UTF-8, yet py-amqp sends it.
    publish(BODY, routing_key="order.\udcff", **JSON)

    eventually(lambda: connection.database.invoices.find_one({"_id": ORDER["orderId"]}))


def test_a_plain_json_message_is_an_order(billing: Processes, clean: None) -> None:
    publish(BODY)

    eventually(lambda: connection.database.invoices.find_one({"_id": ORDER["orderId"]}))


def test_a_message_of_the_tutorial_says_what_is_missing(billing: Processes, clean: None) -> None:
    publish(json.dumps({"orderId": 1718000000000, "userId": 101, "items": ["book"]}).encode())

    certificate, _ = dead_in_billing()

    assert certificate["reason"] == "invalid_body"
    assert "items[0].unitPrice is missing" in certificate["message"]


def test_properties_that_nobody_can_read_stop_no_worker(billing: Processes, clean: None) -> None:
    with Connection(settings.AMQP_URL) as broker, broker.channel() as channel:
        publish_unreadable(channel, BODY)

    certificate, message = dead_in_billing()

    assert certificate["reason"] == "invalid_properties"
    assert message.body == BODY
    assert_still_working("after-unreadable-properties")
