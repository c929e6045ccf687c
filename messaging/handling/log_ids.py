"""Middleware: what is logged while a message is handled has its ids."""

from __future__ import annotations

from functools import partial

from messaging.handling.call import Answers, GoOn, MessageCall
from messaging.incoming import Delivery
from runtime import log_fields
from runtime.tracing import context


def name_in_logs(call: MessageCall, go_on: GoOn) -> Answers:
    with log_fields.about(partial(ids_of, call.delivery)):
        return go_on()


def ids_of(delivery: Delivery) -> log_fields.Fields:
    """Of the message, its order, and the trace that it belongs to where its publisher names one."""
    trace = context.read(delivery.headers)
    return {
        "ordersite.service": delivery.service,
        "ordersite.type": delivery.type,
        "ordersite.message_id": delivery.message_id,
        "ordersite.order_id": delivery.correlation_id,
        "trace.id": trace.trace_id if trace else "",
    }
