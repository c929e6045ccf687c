"""What is logged about a message that the archiver has in its hands has the message's ids."""

from __future__ import annotations

from typing import Any

from failed_messages.archiving.dead_letter import ID_LIMIT_CHARS, PARSE_LIMIT_BYTES
from messaging.handling.log_ids import fields
from messaging.handling.order_in_body import order_in
from messaging.storable import text
from runtime import log_context


def ids_of(message: Any, service: str) -> log_context.Fields:
    """Of the message, its order and its trace, however hostile it is.

    Args:
        service: that gave it up; empty where none did.
    """
    properties, body = message.properties or {}, message.body
    type_, message_id, order_id = (
        text(properties.get(name) or "", ID_LIMIT_CHARS)
        for name in ("type", "message_id", "correlation_id")
    )
    if not order_id and len(body) <= PARSE_LIMIT_BYTES:
        order_id = order_in(body)[:ID_LIMIT_CHARS]
    return fields(service, type_, message_id, order_id, message.headers or {})
