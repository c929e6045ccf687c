"""What no order is: refused over HTTP by field, and as a message a failed one with its reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from kombu import Connection

from drills.traffic.poison import KINDS
from tests.broker import depth, publish, publish_poison
from tests.journeys.api import Api, await_failed_messages
from tests.journeys.whole_pipeline.conftest import BEHIND_THE_WEB, Pipeline
from tests.polling import eventually

OPERATOR = {"$gt": ""}
DEEP = b"[" * 100_000


def order(**changes: Any) -> bytes:
    """The JSON of an order that is right but for these fields."""
    return json.dumps({"userId": 101, "items": ["book"], **changes}).encode()


def quantity(value: object) -> bytes:
    return order(items=[{"sku": "book", "quantity": value}])


#: The body, and the fields that the answer names.
REQUESTS = {
    "no body": (b"", "body"),
    "not JSON": (b"userId=101", "body"),
    "no object": (b'["book"]', "body"),
    "NaN": (b'{"userId": NaN, "items": ["book"]}', "body"),
    "nested deeply": (b'{"userId": 101, "items": ' + DEEP, "body"),
    "2 MB": (order(items=["x" * 2_000_000]), "body"),
    "no items": (b'{"userId": 101}', "items"),
    "empty items": (order(items=[]), "items"),
    "1,001 items": (order(items=["book"] * 1001), "items"),
    "quantity 0": (quantity(0), "items[0].quantity"),
    "quantity -1": (quantity(-1), "items[0].quantity"),
    "quantity 1.5": (quantity(1.5), "items[0].quantity"),
    "quantity 10^9": (quantity(10**9), "items[0].quantity"),
    "quantity in quotes": (quantity("2"), "items[0].quantity"),
    "user null": (order(userId=None), "userId"),
    "user object": (order(userId={"id": 1}), "userId"),
    "user 2^63": (order(userId=2**63), "userId"),
    "operator for a user": (order(userId=OPERATOR), "userId"),
    "operator for items": (order(items=OPERATOR), "items"),
    "operator for an item": (
        order(items=[OPERATOR]),
        "items[0].$gt items[0].sku items[0].quantity",
    ),
    "operator for a SKU": (order(items=[{"sku": OPERATOR, "quantity": 1}]), "items[0].sku"),
    "operator for a quantity": (quantity(OPERATOR), "items[0].quantity"),
    "operator for all": (json.dumps(OPERATOR).encode(), "$gt userId items"),
}


@pytest.mark.parametrize(("body", "fields"), REQUESTS.values(), ids=REQUESTS.keys())
def test_a_bad_request_names_each_field_and_stores_nothing(
    api: Api, body: bytes, fields: str
) -> None:
    answer = api.ask("POST", "/orders", body, content_type="application/json")

    assert 400 <= answer.status < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert {error["field"] for error in answer.json["errors"]} == {*fields.split()}
    assert answer.json["errors"][0]["fix"]
    assert connection.database["orders"].count_documents({}) == 0


@pytest.mark.parametrize(
    ("method", "path", "content_type", "status"),
    [
        ("POST", "/orders", "text/plain", 415),
        ("POST", "/orders", "application/x-www-form-urlencoded", 415),
        ("PUT", "/orders", "application/json", 405),
        ("DELETE", "/orders", "application/json", 405),
        ("POST", "/orders/6743f0000000000000000001", "application/json", 405),
        ("POST", "/order", "application/json", 404),
    ],
)
def test_the_wrong_way_to_ask_is_a_problem_too(
    api: Api, method: str, path: str, content_type: str, status: int
) -> None:
    answer = api.ask(method, path, order(), content_type=content_type)

    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["detail"]
    assert connection.database["orders"].count_documents({}) == 0


def test_operators_in_a_query_are_text(api: Api) -> None:
    for query in ("userId[$gt]=0", 'userId={"$gt":""}', "status[$ne]=x", "status=$where"):
        answer = api.ask("GET", f"/orders?{query}".replace('"', "%22"))
        assert answer.status == 400, answer
        assert answer.headers["content-type"] == "application/problem+json"


def test_every_kind_of_garbage_ends_as_a_failed_message_and_stops_nobody(
    pipeline: Pipeline, api: Api
) -> None:
    """
    Given the running pipeline
    When each kind of garbage comes on order_events
    Then inventory and billing have each given up each of them, with its reason; the archiver has
    stored them all; every process still runs, and the next order is confirmed.
    """
    ours = {name: each for name, each in KINDS.items() if not each.comes_back}
    expected = publish_poison(ours)

    failed = await_failed_messages(2 * len(expected))

    for service in ("inventory", "billing"):
        reasons = {f["messageId"]: f["reason"] for f in failed if f["service"] == service}
        assert reasons == expected
    assert all(each["message"] for each in failed)
    assert all(each["status"] == "failed" for each in failed)
    for collection in ("reservations", "invoices"):
        assert connection.database[collection].count_documents({}) == 0
    assert all(pipeline[name].running for name in BEHIND_THE_WEB)
    api.await_status(api.place(101), "confirmed")


def test_garbage_where_only_the_archiver_reads_stops_it_not(pipeline: Pipeline) -> None:
    """Whatever anyone puts into a dead-letter queue is kept; a forged outcome resolves nothing."""
    letters = [
        {"headers": {"certificate": "{"}},
        {"headers": {"certificate": json.dumps({"id": OPERATOR, "attempts": "many"})}},
        {"headers": {"x-death": "yes", "attempts": 3}},
        {"content_type": "text/html", "type": "x" * 255},
    ]
    for number, properties in enumerate(letters):
        body = b"\xff<script>alert(1)</script>" * (number + 1)
        to_dead_letters(body, message_id=f"letter-{number}", **properties)
    for body in (b"", b"\xff", b"[]", b'{"replayId": {"$gt": ""}}', b'{"replayId": 7}'):
        publish(body, exchange="", routing_key="replay_outcomes")

    failed = await_failed_messages(len(letters))

    assert {each["messageId"] for each in failed} == {
        f"letter-{number}" for number in range(len(letters))
    }
    assert {each["status"] for each in failed} == {"failed"}
    eventually(lambda: depth("replay_outcomes") == 0)
    with Connection(settings.AMQP_URL) as broker:
        asked = broker.channel().queue_declare("replay_outcomes", passive=True)
        assert asked.consumer_count == 1
    assert pipeline["archiver"].running


def to_dead_letters(body: bytes, **properties: Any) -> None:
    publish(body, exchange="dead_letters", routing_key="billing", **properties)
