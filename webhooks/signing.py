"""Signatures of Standard Webhooks 1.0.0 (symmetric, `v1`), and the secrets for them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime

from standardwebhooks import Webhook

#: The specification wants 24 to 64.
SECRET_BYTES = 32


def new_secret() -> str:
    """A secret as its holder keeps it: `whsec_` and base64."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def signed_headers(
    message_id: str, at: datetime, body: str, signing: Iterable[str]
) -> dict[str, str]:
    """The header fields of one attempt, with a signature for each secret, the newest first.

    Args:
        at: the time of the attempt, in UTC.
    """
    signatures = [Webhook(secret).sign(message_id, at, body) for secret in signing]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def message_id_of(type_: str, order_id: str) -> str:
    """The header `webhook-id` of an event, which an order has one of each type.

    It has no full stop, which parts the signed content, and nothing of a foreign publisher's id.
    """
    digest = hashlib.sha256(f"{type_}:{order_id}".encode()).hexdigest()
    return f"msg_{digest[:32]}"


def new_message_id() -> str:
    """Of a test, which is no event's."""
    return f"msg_{secrets.token_hex(16)}"
