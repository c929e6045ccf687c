"""Middleware: what is logged while a message is handled has its ids."""

from __future__ import annotations

import re
from functools import partial

from messaging.handling.call import Answers, GoOn, MessageCall
from messaging.incoming import Delivery
from runtime import log_fields

#: https://www.w3.org/TR/trace-context/#traceparent-header
_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def name_in_logs(call: MessageCall, go_on: GoOn) -> Answers:
    with log_fields.about(partial(ids_of, call.delivery)):
        return go_on()


def ids_of(delivery: Delivery) -> log_fields.Fields:
    """Of the message, its order, and the trace that it belongs to where its publisher names one."""
    parent = delivery.headers.get("traceparent")
    trace = _TRACE_PARENT.match(parent) if isinstance(parent, str) else None
    return {
        "ordersite.service": delivery.service,
        "ordersite.type": delivery.type,
        "ordersite.message_id": delivery.message_id,
        "ordersite.order_id": delivery.correlation_id,
        "trace.id": trace[1] if trace else "",
    }
