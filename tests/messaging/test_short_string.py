"""A short string is published as it came, and a person can read it."""

from __future__ import annotations

import pytest
from amqp.serialization import loads
from hypothesis import given
from hypothesis import strategies as st

from messaging.adapters.py_amqp import read_arguments
from messaging.consuming.reading import delivery_info_of
from messaging.short_string import LIMIT_BYTES, read_short, readable, short, shortened

ANY_BYTES = st.binary(max_size=LIMIT_BYTES)
DELIVER = "sLbss"


def written(text: bytes) -> bytes:
    return bytes([len(text)]) + text


@given(ANY_BYTES)
def test_any_bytes_are_published_as_they_came(text: bytes) -> None:
    read, end = read_short(b"before" + written(text) + b"behind", 6)

    assert end == 6 + 1 + len(text)
    assert short(read) == written(text)


@given(st.text(st.characters(), max_size=LIMIT_BYTES))
def test_any_text_is_readable_and_fits(text: str) -> None:
    readable(text).encode()
    assert len(short(shortened(text))) <= 1 + LIMIT_BYTES


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"order.placed", "order.placed"),
        ("é".encode(), "é"),
        (b"\xff\xfe", r"\xff\xfe"),
        (b"order.\xff", r"order.\xff"),
        (b"\xed\xa0\x80", r"\xed\xa0\x80"),
    ],
)
def test_a_person_sees_bytes_that_are_not_utf8(text: bytes, shown: str) -> None:
    assert readable(read_short(written(text), 0)[0]) == shown


@given(consumer_tag=ANY_BYTES, exchange=ANY_BYTES, routing_key=ANY_BYTES)
def test_both_readers_read_a_delivery_alike(
    consumer_tag: bytes, exchange: bytes, routing_key: bytes
) -> None:
    number_and_flag = (7).to_bytes(8, "big") + b"\x01"
    payload = (
        b"\x00\x3c\x00\x3c"
        + written(consumer_tag)
        + number_and_flag
        + written(exchange)
        + written(routing_key)
    )

    arguments, end = read_arguments(DELIVER, payload, 4)

    assert end == len(payload)
    assert arguments == [*delivery_info_of(payload).values()]


@given(st.text(max_size=40), st.integers(0, 2**64 - 1), st.booleans(), st.booleans())
def test_what_py_amqp_reads_is_read_as_before(
    text: str, number: int, first: bool, second: bool
) -> None:
    flags = first | second << 1
    payload = number.to_bytes(8, "big") + bytes([flags]) + short(text) + b"\x01"

    assert read_arguments("Lbbsb", payload, 0) == loads("Lbbsb", payload, 0)
