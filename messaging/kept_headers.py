"""The headers that stay with a message when it is sent again: retries, dead letters, replays,
edits.

Everything does that its publisher wrote, but for what is ours or RabbitMQ's to set. The list of
those is here and nowhere else.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from messaging.adapters.py_amqp import encode_table
from messaging.publishing.properties import OUR_APP_ID
from messaging.short_string import LIMIT_BYTES, readable
from messaging.storable import text

logger = logging.getLogger(__name__)

#: Headers that control a Celery worker. Only this package sets them, after the check.
CELERY_HEADERS = frozenset(
    {"task", "eta", "expires", "timelimit", "retries", "callbacks", "errbacks", "chain"}
    | {"chord", "group"}
)

#: How a message died, what was tried before, and how it first arrived; of one journey alone.
HISTORY_HEADERS = frozenset({"certificate", "attempts", "original"})

#: Sent again, RabbitMQ would take them for its own notes, or route a copy to another service.
#: https://www.rabbitmq.com/docs/dlx#effects, https://www.rabbitmq.com/docs/sender-selected
RABBITMQ_HEADERS = frozenset(
    {"x-death", "x-first-death-exchange", "x-first-death-queue", "x-first-death-reason"}
    | {"x-last-death-exchange", "x-last-death-queue", "x-last-death-reason"}
    | {"x-delivery-count", "x-acquired-count", "CC", "BCC"}
)

NOT_KEPT = CELERY_HEADERS | HISTORY_HEADERS | RABBITMQ_HEADERS

#: Names the headers that could not be sent again, with the reason of each.
LEFT_OUT_HEADER = "left-out-headers"
LEFT_OUT_CHARACTERS = 1_000

#: Of one frame, 128 KiB, which has to hold the certificate as well.
MAX_KEPT_BYTES = 32_000
#: A header below it is read no further, and so are as many of them as have room.
SMALL_CHARACTERS = 100
MANY_HEADERS = 50

#: A field of a table has 64 bits with a sign; what was read as a time may have more.
LEAST_NUMBER, MOST_NUMBER = -(2**63), 2**63 - 1

#: Properties that stay beside those that each message has. Not among them: `expiration`, as the
#: message would be gone before its retry; `user_id`, as RabbitMQ takes none but its publisher's.
#: https://www.rabbitmq.com/docs/validated-user-id
TEXT_PROPERTIES = ("content_encoding", "reply_to", "app_id")
MOST_PRIORITY = 255


def kept_headers(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the headers that stay with the message.

    What does not fit, or what AMQP cannot say, is left out; `LEFT_OUT_HEADER` then names it.
    """
    kept = {name: value for name, value in headers.items() if name not in NOT_KEPT}
    if len(kept) <= MANY_HEADERS and all(_is_usual(name, kept[name]) for name in kept):
        return _legible(kept)
    return _fitting(kept)


def kept_properties(properties: Mapping[str, Any]) -> dict[str, str | int]:
    """Those of the properties that stay beside id, type, times and content type."""
    kept: dict[str, str | int] = {}
    for name in TEXT_PROPERTIES:
        value = properties.get(name)
        if isinstance(value, str) and value not in ("", OUR_APP_ID) and _fits(value):
            kept[name] = value
    priority = properties.get("priority")
    if isinstance(priority, int) and 0 < priority <= MOST_PRIORITY:
        kept["priority"] = priority
    return kept


def _fits(value: str) -> bool:
    """Whether the text is one of AMQP's short strings, and readable."""
    try:
        return len(value.encode()) <= LIMIT_BYTES
    except UnicodeEncodeError:
        return False


def _is_usual(name: object, value: object) -> bool:
    """Whether the header is small, and can be sent again for sure."""
    if not (isinstance(name, str) and name.isascii()):
        # What is not UTF-8 in a name takes more room when it is legible.
        return False
    if isinstance(value, str):
        return len(value) <= SMALL_CHARACTERS
    return isinstance(value, int) and LEAST_NUMBER <= value <= MOST_NUMBER


def _legible(value: Any) -> Any:
    """The same with valid UTF-8 in all its texts, names of headers among them; bytes stay."""
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, dict):
        return {_legible(name): _legible(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_legible(item) for item in value]
    return value


def _fitting(headers: dict[str, Any]) -> dict[str, Any]:
    """The smallest of the headers, as many as fit."""
    sizes: dict[str, int] = {}
    left_out: dict[str, str] = {}
    legible: dict[str, Any] = {}
    for header, value in headers.items():
        name = _legible(header)
        try:
            legible[name] = _legible(value)
            sizes[name] = len(encode_table({name: legible[name]}))
        except Exception as error:
            left_out[name] = type(error).__name__
    kept: dict[str, Any] = {}
    room_bytes = MAX_KEPT_BYTES
    for name in sorted(sizes, key=sizes.__getitem__):
        if sizes[name] > room_bytes:
            left_out[name] = f"{sizes[name]:,} bytes"
            continue
        room_bytes -= sizes[name]
        kept[name] = legible[name]
    if left_out:
        kept[LEFT_OUT_HEADER] = _reported(left_out)
    # As they came.
    return {name: kept[name] for name in (*legible, LEFT_OUT_HEADER) if name in kept}


def _reported(left_out: Mapping[str, str]) -> str:
    names = (f"{text(name, SMALL_CHARACTERS)} ({why})" for name, why in left_out.items())
    told = ", ".join(names)[:LEFT_OUT_CHARACTERS]
    logger.warning("Headers that AMQP cannot take again were left out of a message: %s", told)
    return told
