"""What a client may send to cancel an order, and the parser that refuses anything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Annotated, Any

import msgspec
from msgspec import Meta, Struct
from rest_framework.parsers import BaseParser

from orders import json_body

MAX_BODY_BYTES = 16 * 1024
MAX_REASON_CHARACTERS = 500


class CancelOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """`{"reason": "Ordered twice"}`, or nothing at all."""

    reason: Annotated[str, Meta(min_length=1, max_length=MAX_REASON_CHARACTERS)] | None = None


TITLE = "The order was not cancelled"
FIXES = {
    "body": 'Send no body, or a JSON object like {"reason": "Ordered twice"}.',
    "reason": f"Send a text of 1 to {MAX_REASON_CHARACTERS} characters, or leave it out.",
}

_decoder = msgspec.json.Decoder(CancelOrder)


class CancelOrderParser(BaseParser):
    """Reads a `CancelOrder` from the request's body."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> CancelOrder:
        """Raises Refusal: the body is too long, not JSON, or something else than a reason."""
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise json_body.bad(TITLE, FIXES, "is too long", status_code=413)
        return json_body.decode(_decoder, body, TITLE, FIXES)
