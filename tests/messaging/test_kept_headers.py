"""What a message is sent again with: all that its publisher wrote, but for what is ours to set."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from struct import pack
from typing import Any

import pytest
from amqp.basic_message import Message as TheirMessage
from amqp.serialization import dumps
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.adapters.py_amqp import decode_table, encode_table, read_properties
from messaging.byte_array import ByteArray
from messaging.certificate import (
    MAX_ATTEMPTS_BYTES,
    MAX_ORIGINAL_BYTES,
    MAX_TRACEBACK_CHARACTERS,
)
from messaging.consuming.reading import Arrived
from messaging.incoming import RawMessage, delivery_of
from messaging.kept_headers import (
    LEFT_OUT_HEADER,
    MAX_KEPT_BYTES,
    NOT_KEPT,
    kept_headers,
    kept_properties,
)
from messaging.publishing.properties import properties_of
from messaging.service import services

FRAME_BYTES = 131_072

HEADERS = {
    "schema-version": 2,
    "order-version": 7,
    "traceparent": "00-" + "a" * 32,
    "tracestate": "vendor=" + "x" * 400,
    "x-tenant": "acme",
    "flag": True,
    "ratio": 0.25,
    "nothing": None,
    "amount": Decimal("1.25"),
    "price": Decimal("10.10"),
    "blob": ByteArray(b"\x00\xff"),
    "readable blob": ByteArray(b"abc"),
    "latin": b"caf\xe9",
    "at": datetime.fromisoformat("2026-01-31T12:00:00"),
    "tags": ["a", 1, {"b": [2]}],
    "table": {"deep": {"deeper": "yes", "blob": ByteArray(b"abc"), "free": Decimal("0.00")}},
    "name \N{GREEK SMALL LETTER ALPHA}": "\N{SNOWMAN}",
}


def arrived(headers: dict[str, Any], **properties: Any) -> RawMessage:
    info = {"exchange": "order_events", "routing_key": "", "redelivered": False}
    return RawMessage(Arrived({"application_headers": headers, **properties}, b"{}", 1, info))


def sent_again(message: RawMessage) -> dict[str, Any]:
    """Its properties as RabbitMQ gets them with a retry or a dead letter."""
    again = delivery_of(message, services()["billing"]).message(b"{}")
    theirs = TheirMessage()
    theirs.inbound_header(properties_of(again))
    return theirs.properties


def test_every_header_of_a_publisher_stays():
    assert sent_again(arrived(HEADERS))["application_headers"] == HEADERS


def test_the_table_of_headers_is_sent_again_to_the_byte():
    table = encode_table(HEADERS)

    read = decode_table(table)
    stored = encode_table(kept_headers(read))

    assert stored == table
    assert encode_table(kept_headers(decode_table(stored))) == table
    assert encode_table(sent_again(arrived(read))["application_headers"]) == table
    assert {type(read[name]) for name in ("blob", "readable blob")} == {ByteArray}


def test_a_table_that_only_we_can_read_is_read_the_same():
    """After a header that py-amqp refuses."""
    fields = encode_table(HEADERS)[4:] + b"\x04whenT" + pack(">Q", 2**62)
    buffer = pack(">HI", 1 << 13, len(fields)) + fields

    read, _ = read_properties(buffer, 0)

    headers = read["application_headers"]
    del headers["when"]
    assert encode_table(headers) == encode_table({**HEADERS, "latin": b"caf\xe9"})


@pytest.mark.parametrize("length", [1, 60, 255])
@pytest.mark.parametrize("value", ["short", "x" * 200, None])
@pytest.mark.parametrize("letter", [b"\xff", b"\xed\xa0\x80"])
def test_a_name_that_is_not_utf8_costs_no_other_header(letter: bytes, value: Any, length: int):
    """As text it is longer than AMQP's 255 bytes."""
    name = letter * (length // len(letter) or 1)
    raw = b"".join([bytes([len(name)]), name, b"t\x01"])
    read = decode_table(pack(">I", len(raw)) + raw) | {"mine": value}

    again = sent_again(arrived(read))["application_headers"]

    assert again["mine"] == value


def test_a_message_without_a_content_type_gets_none():
    again = sent_again(arrived({"mine": 1}))

    assert "content_type" not in again


@pytest.mark.parametrize("name", sorted(NOT_KEPT))
def test_what_is_ours_or_rabbitmqs_does_not(name: str):
    assert sent_again(arrived({name: "x", "mine": 1}))["application_headers"] == {"mine": 1}


def test_properties_of_a_publisher_stay_but_those_that_would_harm():
    given = {
        "content_type": "application/json; charset=utf-8",
        "content_encoding": "utf-8",
        "correlation_id": "c",
        "message_id": "m",
        "timestamp": 1_700_000_000,
        "type": "order.placed",
        "priority": 5,
        "reply_to": "answers",
        "app_id": "till",
    }
    harmful = {"user_id": "guest", "expiration": "60000", "cluster_id": "c", "delivery_mode": 1}

    again = sent_again(arrived({}, **given, **harmful))

    assert {name: again.get(name) for name in given} == given
    assert again["delivery_mode"] == 2
    assert not again.keys() & {"user_id", "expiration", "cluster_id"}


def test_our_own_message_needs_no_detour():
    assert kept_properties({"app_id": "ordersite", "priority": 0, "reply_to": ""}) == {}


def test_what_does_not_fit_into_a_frame_is_left_out_and_named(caplog: pytest.LogCaptureFixture):
    big = {"blob": "x" * 40_000, "half": "y" * 20_000, "other": "z" * 20_000, "small": 1}

    kept = kept_headers(big)

    assert kept.keys() == {"half", "small", LEFT_OUT_HEADER}
    assert "blob (40,0" in kept[LEFT_OUT_HEADER]
    assert "other (20,0" in kept[LEFT_OUT_HEADER]
    assert "blob" in caplog.text


def test_what_amqp_cannot_say_is_left_out_and_named():
    kept = kept_headers({"huge": 2**80, "set": {1, 2}, "long": "x" * 200})

    assert kept.keys() == {"long", LEFT_OUT_HEADER}
    assert "huge (" in kept[LEFT_OUT_HEADER]


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, -(2**63) - 1])
def test_a_number_that_amqp_has_no_bits_for_is_left_out(number: int):
    """As a time is read that no calendar has."""
    kept = kept_headers({"when": number, "most": 2**63 - 1, "least": -(2**63)})

    assert kept.keys() == {"most", "least", LEFT_OUT_HEADER}
    assert dumps("F", [kept])


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.builds(str.__mul__, st.text(max_size=5), st.integers(0, 1_000))
    | st.binary(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=20), inner),
    max_leaves=5,
)


@settings(max_examples=25)  # each is large
@given(st.dictionaries(st.text(min_size=1, max_size=60), VALUES, max_size=80))
def test_whatever_they_are_they_fit_beside_a_certificate(headers: dict[str, Any]):
    size = len(dumps("F", [kept_headers(headers)]))

    history = MAX_ATTEMPTS_BYTES + MAX_ORIGINAL_BYTES + 4 * MAX_TRACEBACK_CHARACTERS
    assert size <= MAX_KEPT_BYTES + 2_000
    assert size + history < FRAME_BYTES
