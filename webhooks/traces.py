"""The request to an endpoint as a span in the trace of its order, which the receiver may continue.

https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from messaging.spans import of_message
from runtime.tracing import context, spans
from runtime.tracing.context import TraceContext
from runtime.tracing.spans import Attributes, Kind
from webhooks.sending import Sent
from webhooks.store import Document


class NotDelivered(Exception):
    """What a span failed with whose request was not answered with 2xx."""


def in_its_trace(delivery: Document, url: str, post: Callable[..., Sent]) -> Sent:
    """Call `post`, with the header fields of the delivery's trace as `further`, if it has one."""
    trace = trace_of(delivery)
    if trace is None:
        return post()
    if not trace.is_sampled:
        return post(further=trace.headers())
    here = spans.begin("POST", Kind.CLIENT, trace, attributes(delivery, url))
    try:
        sent = post(further=here.headers())
    except BaseException as error:
        spans.end(here, error)
        raise
    if sent.status is not None:
        here.span.set_attribute("http.response.status_code", sent.status)
    spans.end(here, None if sent.is_success else NotDelivered(sent.in_words))
    return sent


def trace_of(delivery: Document) -> TraceContext | None:
    """Where the event was noted; None where traces are not recorded, or it is part of none."""
    kept: Any = delivery.get("trace")
    return context.read(kept) if spans.is_on() and isinstance(kept, dict) else None


def attributes(delivery: Document, url: str) -> Attributes:
    """Not the URL itself: it may have a secret in its path or query."""
    parts = urlsplit(url)
    return {
        "http.request.method": "POST",
        "http.request.resend_count": delivery["tries"],
        "server.address": parts.hostname or "",
        "server.port": parts.port or (443 if parts.scheme == "https" else 80),
        "ordersite.type": delivery.get("type", ""),
        "ordersite.webhook_endpoint": delivery["endpoint"],
        **of_message(delivery["message_id"], delivery.get("order_id", "")),
    }
