"""The order that a message is about, where only its body names it."""

from __future__ import annotations

import msgspec

from messaging.order_id import canonical


def order_in(body: bytes) -> str:
    """As the desk reads it; empty where the body names none."""
    try:
        read = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    order_id = read.get("orderId") if isinstance(read, dict) else None
    return canonical(str(order_id)) if isinstance(order_id, str | int) else ""
