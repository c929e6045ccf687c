"""What is checked of a message before anybody handles it. In memory."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings

from messaging.certificate import decode_original
from messaging.errors import InvalidMessage
from messaging.incoming import (
    RETURNS_HEADER,
    Delivery,
    body_of,
    delivery_of,
    returns_of,
    version_in,
)
from messaging.service import TYPES_REMEMBERED, publisher_of, services
from messaging.trust import users

BILLING = "billing"
KNOWN = frozenset({"order.placed", "order.cancelled"})
ORDER = b'{"orderId": "6743f0"}'


def arrived(
    body: bytes = ORDER,
    *,
    headers: dict[str, Any] | None = None,
    exchange: str = "order_events",
    redelivered: bool = False,
    content_type: str | None = "application/json",
    content_encoding: str | None = None,
    **properties: Any,
) -> Any:
    """A message off billing's queue, an `order.placed` unless it says otherwise."""
    return SimpleNamespace(
        body=body,
        headers=headers or {},
        properties={"type": "order.placed", "message_id": "m", **properties},
        content_type=content_type,
        content_encoding=content_encoding,
        delivery_info={"exchange": exchange, "routing_key": "", "redelivered": redelivered},
    )


def checked(message: Any) -> dict[str, Any]:
    return body_of(message, services()[BILLING], KNOWN)


def delivery(message: Any) -> Delivery:
    return delivery_of(message, services()[BILLING])


@pytest.mark.parametrize(
    "message",
    [
        arrived(),
        arrived(type=""),
        arrived(content_type=None),
        arrived(content_type="Application/JSON; charset=utf-8"),
        arrived(content_encoding="UTF-8"),
        arrived(headers={"anything": 1}),
    ],
)
def test_an_order_in_any_good_envelope_is_taken(message: Any) -> None:
    assert checked(message) == {"orderId": "6743f0"}


@pytest.mark.parametrize(
    ("message", "reason", "says"),
    [
        (arrived(b"{"), "undecodable", "is not JSON"),
        (arrived(b'{"orderId": "\xff"}'), "undecodable", "is not JSON"),
        (arrived(b'{"a":' * 100_000), "undecodable", "nested too deeply"),
        (arrived(b"[]"), "invalid_body", "a JSON array; publish an object"),
        (arrived(b"null"), "invalid_body", "a JSON null"),
        (arrived(b"7"), "invalid_body", "a JSON number"),
        (arrived(b"true"), "invalid_body", "a JSON boolean"),
        (arrived(type="order.exploded"), "unknown_type", "order.cancelled, order.placed"),
        (arrived(type="x" * 300), "unknown_type", "is unknown"),
        (arrived(content_type="text/plain"), "invalid_properties", "publish 'application/json'"),
        (arrived(content_encoding="gzip"), "invalid_properties", "without compression"),
        (arrived(headers={"task": "x", "eta": 1}), "invalid_properties", "header eta, task"),
        (
            arrived(b'"' + b"x" * settings.MAX_MESSAGE_BYTES + b'"'),
            "too_large",
            "1,048,578 bytes; at most 1,048,576",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_handled_dies_for_its_reason(message: Any, reason: str, says: str) -> None:
    with pytest.raises(InvalidMessage) as refused:
        checked(message)

    assert refused.value.reason == reason
    assert says in str(refused.value)


def test_what_an_envelope_does_not_say_has_a_default() -> None:
    plain = SimpleNamespace(
        body=ORDER,
        headers={},
        properties={},
        content_type=None,
        content_encoding=None,
        delivery_info={"exchange": "order_events"},
    )
    first, second = delivery(plain), delivery(plain)

    assert first.type == "order.placed"
    assert first.message_id != second.message_id
    assert (first.correlation_id, first.attempts, first.life) == ("", (), "")


@pytest.mark.parametrize("value", [7, b"x", None, [], "x" * 10_000])
def test_properties_of_any_type_make_a_delivery(value: Any) -> None:
    odd = arrived(
        type=value, message_id=value, correlation_id=value, timestamp=value, priority=value
    )

    assert all(len(text) <= 255 for text in (delivery(odd).type, delivery(odd).message_id))


def test_only_what_comes_back_to_one_service_brings_a_history() -> None:
    first = delivery(arrived())
    forged = {"original": first.original_json.replace("order_events", "forged"), "attempts": "[]"}

    believed = decode_original(delivery(arrived(headers=forged, exchange="by_name")).original_json)
    refused = decode_original(delivery(arrived(headers=forged)).original_json)

    assert believed is not None
    assert believed.exchange == "forged"
    assert refused is not None
    assert refused.exchange == "order_events"


def test_a_message_has_one_life_from_its_first_return_to_its_next_attempt() -> None:
    def life(**changes: Any) -> str:
        return delivery(arrived(**{"redelivered": True, **changes})).life

    assert life() == life(headers={RETURNS_HEADER: 3}, exchange="")
    assert life(redelivered=False) == ""
    others = [
        life(message_id="other"),
        life(body=b"{}"),
        life(headers={"replay": "job"}),
        life(type="order.cancelled"),
        life(correlation_id="c"),
    ]
    assert len({life(), *others}) == 1 + len(others)


def test_returns_are_rabbitmqs_own_count() -> None:
    assert returns_of(arrived(headers={RETURNS_HEADER: 3}, redelivered=True)) == 3
    assert returns_of(arrived(headers={RETURNS_HEADER: 3})) == 0
    assert returns_of(arrived(headers={RETURNS_HEADER: "many"}, redelivered=True)) == 0


@pytest.mark.parametrize(
    ("header", "version"),
    [
        *(({}, 1), ({"schema-version": 2}, 2), ({"schema-version": "2"}, 2)),
        *(({"schema-version": 2.0}, 2), ({"schema-version": Decimal("2")}, 2)),
        *(
            ({"schema-version": wrong}, 1)
            for wrong in ("", "x", "2.5", 2.5, float("nan"), {"a": 1})
        ),
        *(({"schema-version": wrong}, 1) for wrong in (None, [], "٢", "9" * 5_000, True)),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_body_without_a_version_is_the_first(header: dict[str, Any], version: int) -> None:
    assert version_in(header) == version


def test_types_that_a_publisher_makes_up_take_no_memory_for_ever() -> None:
    for number in range(3 * TYPES_REMEMBERED):
        message = arrived(type=f"made.up.{number}", user_id="guest")
        with pytest.raises(InvalidMessage):
            checked(message)
        delivery(message)

    for remembered in (publisher_of, users._senders, users.users_that_publish):
        assert remembered.cache_info().currsize <= TYPES_REMEMBERED
