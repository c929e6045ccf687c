"""An external publisher's message begins a trace, as a request does; in memory."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from messaging.consuming.batching import traces_of
from messaging.consuming.begun_traces import begin_trace
from messaging.incoming import delivery_of
from messaging.service import services
from messaging.trust.users import user_of
from runtime.tracing import context
from runtime.tracing.sampling import sampler_of
from tests.traced import Traces

BILLING = services()["billing"]
SAMPLED = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
UNSAMPLED = {"traceparent": f"00-{'c' * 32}-{'d' * 16}-00"}


class Message:
    """As RabbitMQ delivers it."""

    content_type = "application/json"
    body = b'{"orderId": "6743f0"}'

    def __init__(self, user: str = "shop", exchange: str = "order_events", **headers: Any) -> None:
        self.headers = headers
        self.properties = {"message_id": "m1", "correlation_id": "6743f0"}
        self.properties |= {"user_id": user} if user else {}
        self.delivery_info = {"exchange": exchange, "routing_key": ""}


@pytest.mark.parametrize("user", ["shop", ""])
def test_a_message_of_somebody_else_begins_a_trace(traces: Traces, user: str) -> None:
    message = Message(user)

    begin_trace(message, BILLING)

    begun = traces.only("receive billing")
    assert (begun.kind, begun.parent_id) == ("CONSUMER", "")
    assert begun.attributes["messaging.message.id"] == "m1"
    assert begun.attributes["ordersite.order_id"] == "6743f0"
    delivery = delivery_of(message, BILLING)
    trace = context.read(delivery.headers)
    assert trace is not None
    assert (trace.trace_id, trace.span_id) == (begun.trace_id, begun.span_id)
    assert traces_of([message])[0].context == trace
    # Nobody sent it.
    assert message.headers == {}
    assert "traceparent" not in delivery.original_json


@pytest.mark.parametrize(
    "message",
    [
        Message(**SAMPLED),
        Message(**UNSAMPLED),
        Message(user_of("relay")),
        # A retry of one that was not sampled.
        Message(user_of("billing"), "by_name", publisher="shop"),
    ],
    ids=["names one", "names one that is not recorded", "ours", "sent again"],
)
def test_no_other_message_does(traces: Traces, message: Message) -> None:
    begin_trace(message, BILLING)

    assert traces.spans() == []
    assert delivery_of(message, BILLING).headers.get("traceparent") == message.headers.get(
        "traceparent"
    )


def test_what_is_not_sampled_begins_none(traces: Traces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TRACE_SAMPLER", sampler_of("parentbased_traceidratio", 0))
    message = Message()

    begin_trace(message, BILLING)

    assert traces.spans() == []
    assert "traceparent" not in delivery_of(message, BILLING).headers
