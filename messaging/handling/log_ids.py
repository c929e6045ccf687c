"""Middleware: what is logged while a message is handled has its ids."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from messaging.handling.call import Answers, GoOn, MessageCall
from messaging.handling.order_in_body import order_in
from messaging.incoming import Delivery
from runtime import log_context
from runtime.tracing import context

#: What a line holds of an id in a foreign body.
MOST_CHARACTERS = 300


def name_in_logs(call: MessageCall, go_on: GoOn) -> Answers:
    with log_context.about(partial(ids_of, call.delivery, call.body)):
        return go_on()


def ids_of(delivery: Delivery, body: bytes) -> log_context.Fields:
    """Of the message, its order, and the trace that it belongs to where its publisher names one."""
    order_id = delivery.correlation_id or order_in(body)[:MOST_CHARACTERS]
    named = delivery.service, delivery.type, delivery.message_id, order_id
    return fields(*named, delivery.headers)


def fields(
    service: str, type_: str, message_id: str, order_id: str, headers: Mapping[str, object]
) -> log_context.Fields:
    """What a line about one message has.

    Args:
        headers: its own, as they may name a trace.
    """
    trace = context.read(headers)
    return {
        "ordersite.service": service,
        "ordersite.type": type_,
        "ordersite.message_id": message_id,
        "ordersite.order_id": order_id,
        "trace.id": trace.trace_id if trace else "",
    }
