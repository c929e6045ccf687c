"""Reading the fields of a request to the API, and refusing by name what is wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from failed_messages.filters import duration
from failed_messages.refusals import Refused

IDS_LIMIT = 500


def ids(value: Any) -> list[str]:
    """A few ids, as they are."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Refused("ids", "it is an array of ids")
    if not 0 < len(value) <= IDS_LIMIT:
        raise Refused("ids", f"there are 1 to {IDS_LIMIT} of them; more go by group or filter")
    return value


def body_text(asked: dict[str, Any]) -> str:
    """The edited body: an object as it is, or its text to the letter."""
    body = asked.get("body")
    if isinstance(body, str):
        return body
    if isinstance(body, dict):
        return json.dumps(body, ensure_ascii=False)
    raise Refused("body", "it is the edited body, an object or its text")


def delays(value: Any) -> list[timedelta]:
    """Times like `15m`."""
    if not isinstance(value, list):
        raise Refused("after", 'it is an array of delays, e.g. ["15m", "1h", "6h"]')
    try:
        return [duration(str(each)) for each in value]
    except ValueError as error:
        raise Refused("after", str(error)) from error


def text(asked: dict[str, Any], field: str) -> str:
    """Text; empty where the request has none."""
    value = asked.get(field, "")
    if not isinstance(value, str):
        raise Refused(field, "it is text")
    return value


def number(value: Any, field: str, most: int) -> int:
    """A whole number from 1 to `most`."""
    try:
        read = int(str(value))
    except ValueError:
        raise Refused(field, "it is a whole number") from None
    if not 1 <= read <= most:
        raise Refused(field, f"it is from 1 to {most}")
    return read
