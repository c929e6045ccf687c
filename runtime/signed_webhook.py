"""Secrets and signatures of Standard Webhooks 1.0.0 (symmetric, `v1`).

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Iterable
from datetime import datetime

from standardwebhooks import Webhook

PREFIX = "whsec_"
LEAST_SECRET_BYTES, MOST_SECRET_BYTES = 24, 64
#: Of one that we make.
SECRET_BYTES = 32


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


def new_secret() -> str:
    """A secret as its holder keeps it: `whsec_` and base64."""
    return f"{PREFIX}{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def check_secret(secret: str) -> None:
    """Raises ValueError: it is not a secret that a receiver's library takes; the text says why."""
    if not secret.startswith(PREFIX):
        raise ValueError(f"it must start with {PREFIX}.")
    try:
        length = len(base64.b64decode(secret.removeprefix(PREFIX), validate=True))
    except (binascii.Error, ValueError):
        raise ValueError(f"what follows {PREFIX} is not base64.") from None
    if not LEAST_SECRET_BYTES <= length <= MOST_SECRET_BYTES:
        raise ValueError(
            f"it stands for {length} bytes; it must be {LEAST_SECRET_BYTES} to {MOST_SECRET_BYTES}."
        )
