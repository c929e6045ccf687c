"""What we write and read directly is what py-amqp, an independent implementation, takes it for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from amqp import Message as TheirMessage
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st
from kombu import Connection

from messaging.message import Message
from messaging.publishing.confirms import ConfirmedChannel, Outgoing
from messaging.publishing.frames import publish_frames
from messaging.publishing.properties import properties_of

TEXT = st.text(max_size=60)
HEADERS = st.dictionaries(
    TEXT.filter(bool), st.one_of(st.integers(-(2**31), 2**31 - 1), TEXT, st.booleans()), max_size=4
)
FRAME_MAX_BYTES = 131_072


def message(**fields: Any) -> Message:
    given_time = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
    defaults = {"body": b"{}", "type": "order.placed", "message_id": "1", "timestamp": given_time}
    return Message(**{**defaults, **fields})


@given(type_=TEXT, message_id=TEXT, correlation_id=TEXT, headers=HEADERS)
def test_properties_are_read_as_they_were_meant(
    type_: str, message_id: str, correlation_id: str, headers: dict[str, Any]
) -> None:
    ids = {"message_id": message_id, "correlation_id": correlation_id}
    ours = message(type=type_, headers=headers, **ids)

    theirs = TheirMessage()
    theirs.inbound_header(properties_of(ours))

    read = {name: value for name, value in theirs.properties.items() if value != ""}
    assert read == {
        name: value
        for name, value in {
            "content_type": "application/json",
            "application_headers": headers,
            "delivery_mode": 2,
            "correlation_id": correlation_id,
            "message_id": message_id,
            "timestamp": int(ours.timestamp.timestamp()),
            "type": type_,
            "app_id": "ordersite",
        }.items()
        if value != ""
    }
    for name, value in read["application_headers"].items():
        assert type(value) is type(headers[name])


@pytest.mark.parametrize("size", [0, 1, FRAME_MAX_BYTES - 8, FRAME_MAX_BYTES - 7, 700_000])
@pytest.mark.usefixtures("clean")
def test_a_body_of_any_size_arrives_whole(size: int) -> None:
    body = bytes(index % 251 for index in range(size))

    with Connection(settings.AMQP_URL) as broker, broker.channel() as channel:
        channel.auto_decode = False
        ConfirmedChannel(channel).publish([Outgoing(message(body=body), "", "billing")], 5)
        arrived = channel.basic_get("billing", no_ack=True)

    # py-amqp gives an empty body as text.
    assert (arrived.body or b"") == body


def test_what_is_too_long_for_amqp_is_refused() -> None:
    with pytest.raises(ValueError, match="255 bytes, not 256"):
        publish_frames(
            1,
            "order_events",
            "order.placed",
            message(message_id="x" * 256),
            mandatory=True,
            frame_max_bytes=FRAME_MAX_BYTES,
        )
