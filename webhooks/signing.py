"""The secrets and the message ids of webhooks, as Standard Webhooks 1.0.0 wants them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import secrets

#: The specification wants 24 to 64.
SECRET_BYTES = 32


def new_secret() -> str:
    """A secret as its holder keeps it: `whsec_` and base64."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def message_id_of(type_: str, order_id: str) -> str:
    """The header `webhook-id` of an event, which an order has one of each type.

    It has no full stop, which parts the signed content, and nothing of a foreign publisher's id.
    """
    digest = hashlib.sha256(f"{type_}:{order_id}".encode()).hexdigest()
    return f"msg_{digest[:32]}"


def new_message_id() -> str:
    """Of a test, which is not an event's."""
    return f"msg_{secrets.token_hex(16)}"
