"""What a client may send to cancel an order; anything else is refused."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from runtime.requests.json_body import JsonBody

MAX_BODY_BYTES = 16 * 1024
MAX_REASON_CHARACTERS = 500


class CancellationRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """`{"reason": "Ordered twice"}`, or nothing at all."""

    reason: Annotated[str, Meta(min_length=1, max_length=MAX_REASON_CHARACTERS)] | None = None


TITLE = "The order was not cancelled"
FIXES = {
    "body": 'Send no body, or a JSON object like {"reason": "Ordered twice"}.',
    "reason": f"Send a text of 1 to {MAX_REASON_CHARACTERS} characters, or leave it out.",
}

BODY = JsonBody(
    CancellationRequest, TITLE, FIXES, max_bytes=MAX_BODY_BYTES, empty=CancellationRequest()
)
