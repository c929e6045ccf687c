"""The message ids of webhooks, as Standard Webhooks 1.0.0 wants them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import hashlib
import secrets


def message_id_of(type_: str, order_id: str) -> str:
    """The header `webhook-id` of an event, which an order has one of each type.

    It has no full stop, which parts the signed content, and nothing of a foreign publisher's id.
    """
    digest = hashlib.sha256(f"{type_}:{order_id}".encode()).hexdigest()
    return f"msg_{digest[:32]}"


def message_id_of_test(key: str = "") -> str:
    """Of a test, which is not an event's.

    Args:
        key: identifies the request for the test; again, it has the same id. Empty: a new one.
    """
    digest = hashlib.sha256(f"test:{key}".encode()).hexdigest()
    return f"msg_{digest[:32] if key else secrets.token_hex(16)}"
