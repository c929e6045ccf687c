"""What travels as JSON in a header fits it, and what somebody forged there is not believed."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from drills.traffic.poison import FORGERIES, attempt, original
from drills.traffic.wire import properties_of
from messaging.adapters.py_amqp import read_properties
from messaging.certificate import (
    MAX_ATTEMPTS_BYTES,
    MAX_ORIGINAL_BYTES,
    Attempt,
    Certificate,
    Original,
    decode_attempts,
    decode_certificate,
    decode_original,
    encode_attempts,
    encode_certificate,
    encode_original,
)

FRAME_BYTES = 131_072
FORGED = ["\ud800", '"\ud800"', '"\\ud800"', '{"id": "\udfff"}', '["\udcff"]']


def attempts(count: int, **changes: Any) -> tuple[Attempt, ...]:
    return tuple(
        Attempt(number, "2026-01-01T00:00:00+00:00", 0.1, "w", **{**TOLD, **changes})
        for number in range(1, count + 1)
    )


TOLD = {"exception": "E", "message": "m", "traceback": ""}


def arrived(**changes: Any) -> Original:
    told = {"exchange": "order_events", "routing_key": "", "redelivered": False}
    return Original(**{**told, "properties": {}, "headers": {}, **changes})


@pytest.mark.parametrize("header", [None, 7, b"\xff", [], {}, "", "null", "[" * 50_000, *FORGED])
def test_what_is_not_ours_is_none(header: object) -> None:
    assert decode_attempts(header) == ()
    assert decode_original(header) is None
    assert decode_certificate(header) is None


@pytest.mark.parametrize("name", FORGERIES)
def test_whatever_is_forged_can_be_written_again(name: str) -> None:
    properties, _ = read_properties(properties_of({}, FORGERIES[name].headers, b""), 0)
    headers = properties["application_headers"]
    history = decode_attempts(headers.get("attempts"))
    first = decode_original(headers.get("original"))

    assert len(encode_attempts(history)) <= MAX_ATTEMPTS_BYTES
    assert first is None or len(encode_original(first)) <= MAX_ORIGINAL_BYTES
    json.dumps(msgspec.to_builtins(first), indent=2)
    written = encode_certificate(certificate(attempts=history, original=first))
    assert len(written.encode()) < FRAME_BYTES
    assert decode_certificate(written) is not None


def certificate(**changes: Any) -> Certificate:
    told = dict.fromkeys(("id", "service", "reason", "at", "release", "worker", "message"), "x")
    return Certificate(**told, **changes)


def test_a_forged_original_within_a_certificate_is_made_plain() -> None:
    deep = original(headers=7).replace("7", '{"x":' * 300 + "1" + "}" * 300)
    header = msgspec.json.encode(certificate()).decode().replace('"original":null', '"original":~')

    found = decode_certificate(header.replace("~", deep))

    assert found is not None
    assert found.original is not None
    assert "nested too deeply" in json.dumps(found.original.headers, indent=2)


@pytest.mark.parametrize(
    ("given", "kept", "newest"),
    [
        (attempts(20, traceback="x" * 4_000), 20, "x" * 4_000),
        (attempts(100, message="x" * 1_000), 100, ""),
        (attempts(5_000), 400, ""),
    ],
    ids=["tracebacks", "messages", "attempts"],
)
def test_the_newest_attempts_are_kept_best(
    given: tuple[Attempt, ...], kept: int, newest: str
) -> None:
    found = decode_attempts(encode_attempts(given))

    assert len(found) >= min(kept, len(given))
    assert found[-1].number == given[-1].number
    assert found[-1].traceback == newest
    assert found[-1].message == given[-1].message or len(given) > 100


def test_a_large_header_of_the_original_leaves_the_others_readable() -> None:
    found = decode_original(encode_original(arrived(headers={"x": "y" * 100_000, "z": 1})))

    assert found is not None
    assert found.headers["x"] == "y" * 199 + "…"
    assert found.headers["z"] == 1


def test_bytes_in_the_original_are_readable() -> None:
    odd = arrived(
        routing_key="\udcff",
        headers={b"\xff": b"\xfe", "\ud800": float("inf")},
        properties={"app_id": "\udcff"},
    )

    found = decode_original(encode_original(odd))

    assert found is not None
    assert found.routing_key == r"\xff"
    assert found.headers == {r"\xff": r"\xfe", r"\ud800": "inf"}
    assert found.properties == {"app_id": r"\xff"}


def test_an_attempt_as_ours_is_believed() -> None:
    assert decode_attempts(json.dumps([attempt()]))[0].number == 1
