"""A trace begins where an external publisher's message enters, as it does with a request.

Such a message may name the trace that it is part of. Ours always do, unless their trace is not
recorded, so one of ours that names none begins none. It begins once: retries, replays and results
carry it on.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from messaging import spans as messages
from messaging.incoming import came_back, type_of
from messaging.service import Service
from messaging.trust.publishers import publisher_of
from messaging.trust.users import users
from runtime.tracing import context, spans
from runtime.tracing.spans import Kind


def begin_trace(message: Any, service: Service) -> None:
    """Begin the trace of a message of somebody else that names none, where it is sampled.

    Only to be called where traces are recorded.
    """
    if came_back(message) or context.read(message.headers) is not None:
        return
    type_ = type_of(message, service)
    if publisher_of(message, service) in users():
        return
    if not settings.TRACE_SAMPLER.samples(None):
        return
    properties = message.properties
    about = {
        **messages.of_queue(service.name, "receive"),
        **messages.of_message(
            str(properties.get("message_id") or ""), str(properties.get("correlation_id") or "")
        ),
        "ordersite.type": type_,
    }
    here = spans.begin(f"receive {service.name}", Kind.CONSUMER, None, about)
    spans.end(here)
    # Not among its headers, which are shown as they came.
    message.begun_trace = here.headers()
