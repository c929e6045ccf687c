"""The REST framework's parser of a body in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser


class JsonParser(BaseParser):
    """Takes a body that is declared to be JSON; a `JsonBody` decodes it.

    A charset in the Content-Type means nothing: JSON is UTF-8 (RFC 8259, section 11).
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The bytes, of which there are not too many: a longer body came to no view."""
        return stream.read()
