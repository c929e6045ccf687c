"""Whatever is wrong with some properties of a message, the others are read."""

from __future__ import annotations

from datetime import datetime
from struct import pack
from typing import Any

import pytest
from amqp.serialization import decode_properties_basic
from hypothesis import given
from hypothesis import strategies as st

from drills.traffic.poison import nested
from drills.traffic.wire import properties_of
from messaging.adapters.py_amqp import read_properties
from messaging.lenient_properties import UNREADABLE, read_one_by_one

GOOD: dict[str, Any] = {
    "content_type": "application/json",
    "content_encoding": "utf-8",
    "delivery_mode": 2,
    "priority": 3,
    "correlation_id": "6743f0",
    "reply_to": "somebody",
    "expiration": "600000",
    "message_id": "é-1",
    "timestamp": 2**40,
    "type": "order.placed",
    "user_id": "guest",
    "app_id": "ordersite",
    "cluster_id": "c",
}
HEADERS: dict[str, Any] = {
    "order-version": 1,
    "when": datetime(2026, 1, 1),  # noqa: DTZ001  (as py-amqp gives it)
    "text": "x",
    "lone surrogate": "\ud800",
    "table": {"a": [1, None, True, {"b": 1.5}]},
}
TEXTS = [name for name, value in GOOD.items() if isinstance(value, str)]

#: Fields of the table of headers, and what is told of them.
FIELDS = {
    "time": (
        b"\x01xT" + pack(">Q", 2**62),
        "header x is not a time in seconds: 4611686018427387904",
    ),
    "depth": (nested(2_000), "header deep is nested too deeply"),
    "unknown type": (
        b"\x01xZ" + pack(">I", 1) + b"a",
        "headers end with what is not a field",
    ),
    "no value": (b"\x01x", "headers end with what is not a field"),
}


def read(raw: bytes) -> dict[str, Any]:
    properties, end = read_properties(raw, 0)
    assert end == len(raw)
    return properties


def test_what_py_amqp_reads_is_read_the_same() -> None:
    raw = properties_of(GOOD, HEADERS, b"")
    theirs, _ = decode_properties_basic(raw, 0)

    assert read(raw) == theirs
    ours = read_one_by_one(raw, 0, ValueError("no matter what"))
    assert ours == {**theirs, UNREADABLE: "ValueError: no matter what"}


@pytest.mark.parametrize("name", TEXTS)
def test_of_text_that_is_not_utf8_the_others_are_read(name: str) -> None:
    found = read(properties_of({**GOOD, name: b"\xff\xfe"}, HEADERS, b""))

    assert found.pop(UNREADABLE) == f"{name} is not UTF-8"
    assert found.pop(name) == "\udcff\udcfe"
    assert found.pop("application_headers") == HEADERS
    assert found == {other: value for other, value in GOOD.items() if other != name}


@pytest.mark.parametrize(("fields", "told"), FIELDS.values(), ids=FIELDS.keys())
def test_of_a_header_that_is_none_the_rest_is_read(fields: bytes, told: str) -> None:
    found = read(properties_of(GOOD, HEADERS, fields))

    assert found.pop(UNREADABLE) == told
    headers = found.pop("application_headers")
    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert found == GOOD


def test_what_is_wrong_within_a_table_ends_with_it() -> None:
    broken = b"\x02no" + b"F" + pack(">I", 4) + b"\x01xZ!" + b"\x03yes" + b"t\x01"

    found = read(properties_of(GOOD, {}, broken))

    assert found["application_headers"] == {"no": {}, "yes": True}


@given(st.binary(max_size=300))
def test_no_bytes_raise(raw: bytes) -> None:
    read_properties(raw, 0)


@given(st.data())
def test_nothing_raises_where_a_byte_is_changed_or_the_end_is_missing(data: st.DataObject) -> None:
    raw = bytearray(properties_of(GOOD, HEADERS, nested(30)))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))

    read_properties(bytes(raw[: data.draw(st.integers(0, len(raw)))]), 0)
