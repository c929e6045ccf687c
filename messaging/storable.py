"""Makes hostile values storable: plain JSON, valid UTF-8, bounded depth."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any

from messaging.short_string import readable

#: Deeper tables are an attack, not headers.
DEPTH_LIMIT = 20
TEXT_CHARACTERS = 200_000
NAME_CHARACTERS = 1_000


def whole_text(value: object) -> str:
    """The value as text that MongoDB and a browser accept.

    What is not UTF-8 becomes `\\xff`; a lone surrogate, which no encoder takes, `\\ud800`.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "backslashreplace")
    return readable(str(value))


def text(value: object, limit_chars: int) -> str:
    """The same, where longer text is cut with `…`."""
    whole = whole_text(value)
    return whole if len(whole) <= limit_chars else whole[: limit_chars - 1] + "…"


def json_text(value: object) -> str:
    """Any AMQP table as JSON text; bytes become text, dates RFC 3339."""
    return json.dumps(plain(value), ensure_ascii=False)


def plain(value: object, most_characters: int = TEXT_CHARACTERS, depth: int = 0) -> Any:
    """The value out of dicts, lists, text, numbers, booleans and None alone.

    Each text of it is cut to `most_characters`, a name to NAME_CHARACTERS.
    """
    if depth > DEPTH_LIMIT:
        return "… (nested too deeply)"
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {
            text(key, NAME_CHARACTERS): plain(item, most_characters, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [plain(item, most_characters, depth + 1) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return text(value, most_characters)
