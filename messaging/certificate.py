"""The death certificate: why and how a message died.

It travels in the `certificate` header of the dead-lettered message, as JSON text, so that
nothing in it can be taken for an AMQP field. All headers of a message have to fit into one
frame (AMQP 0-9-1, section 4.2.6.1: content headers cannot be split), hence the cuts.
"""

from __future__ import annotations

import traceback
from enum import StrEnum
from typing import Any

import msgspec

#: The broker's frame is 131,072 bytes; these leave room for the rest of the headers.
MAX_ATTEMPTS_BYTES = 56_000
MAX_ORIGINAL_BYTES = 16_000
MAX_TRACEBACK_CHARACTERS = 4_000
MAX_TEXT_CHARACTERS = 1_000


#: What `encode_attempts` makes of a first delivery.
NO_ATTEMPTS = "[]"


class Reason(StrEnum):
    """Why a service gave a message up."""

    ATTEMPTS_USED_UP = "attempts_used_up"
    PERMANENT_ERROR = "permanent_error"
    TIME_LIMIT = "time_limit"
    INVALID_BODY = "invalid_body"
    INVALID_PROPERTIES = "invalid_properties"
    UNDECODABLE = "undecodable"
    TOO_LARGE = "too_large"
    UNKNOWN_TYPE = "unknown_type"
    UNROUTABLE = "unroutable"
    DELIVERY_LIMIT = "delivery_limit"
    REJECTED = "rejected"
    EXPIRED = "expired"
    QUEUE_FULL = "queue_full"


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One run of a handler that failed."""

    #: Counted from 1.
    number: int
    #: RFC 3339, UTC.
    at: str
    seconds: float
    worker: str
    exception: str
    message: str
    traceback: str = ""


class Original(msgspec.Struct, frozen=True):
    """The message as it first arrived."""

    exchange: str
    routing_key: str
    redelivered: bool
    properties: dict[str, Any]
    headers: dict[str, Any]


class Certificate(msgspec.Struct, frozen=True):
    """Why and how a message died."""

    id: str
    service: str
    reason: str
    #: RFC 3339, UTC.
    at: str
    release: str
    worker: str
    message: str
    original: Original | None = None
    handler: str | None = None
    exception: str | None = None
    traceback: str | None = None
    attempts: tuple[Attempt, ...] = ()


def class_name(error: BaseException) -> str:
    """`ValueError` -> `ValueError`; one of ours with its module: `billing.errors.Declined`."""
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def text_of(error: BaseException) -> str:
    """What the error says, cut to a length that a person reads."""
    return cut(str(error) or type(error).__name__, MAX_TEXT_CHARACTERS)


def traceback_of(error: BaseException) -> str:
    """The traceback's end: the frames next to the error tell the most."""
    lines = "".join(traceback.format_exception(error)).encode("utf-8", "replace").decode()
    if len(lines) <= MAX_TRACEBACK_CHARACTERS:
        return lines
    return "…" + lines[-MAX_TRACEBACK_CHARACTERS:]


def cut(text: str, characters: int) -> str:
    """The text as valid UTF-8, or its beginning with an ellipsis where it is longer."""
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= characters else text[: characters - 1] + "…"


def encode_attempts(attempts: tuple[Attempt, ...]) -> str:
    """The attempts as JSON text that fits its share of the frame.

    Older tracebacks go first: the newest attempt keeps its own.
    """
    kept = list(attempts)
    for index in range(len(kept) + 1):
        encoded = msgspec.json.encode(kept)
        if len(encoded) <= MAX_ATTEMPTS_BYTES or index == len(kept):
            break
        kept[index] = msgspec.structs.replace(kept[index], traceback="")
    return encoded.decode()


def decode_attempts(header: object) -> tuple[Attempt, ...]:
    """The attempts from a message's header; none where the header is missing or not ours."""
    if not isinstance(header, str):
        return ()
    try:
        return msgspec.json.decode(header, type=tuple[Attempt, ...])
    except (msgspec.DecodeError, RecursionError):
        return ()


def encode_original(original: Original) -> str:
    """How the message first arrived, as JSON text; shortened where it is too big or too strange."""
    try:
        encoded = msgspec.json.encode(original, enc_hook=repr)
    except (UnicodeEncodeError, RecursionError, TypeError, OverflowError):
        encoded = b""
    if not 0 < len(encoded) <= MAX_ORIGINAL_BYTES:
        as_text = cut(repr((original.properties, original.headers)), MAX_TEXT_CHARACTERS)
        short = msgspec.structs.replace(original, properties={}, headers={"shortened": as_text})
        encoded = msgspec.json.encode(short)
    return encoded.decode()


def decode_original(header: object) -> Original | None:
    """How the message first arrived, from its header; None where that is missing or not ours."""
    if not isinstance(header, str):
        return None
    try:
        return msgspec.json.decode(header, type=Original)
    except (msgspec.DecodeError, RecursionError):
        return None


def encode_certificate(certificate: Certificate) -> str:
    """The certificate as JSON text that fits one frame."""
    fitting = msgspec.json.decode(encode_attempts(certificate.attempts), type=tuple[Attempt, ...])
    return msgspec.json.encode(
        msgspec.structs.replace(certificate, attempts=fitting), enc_hook=repr
    ).decode()


def decode_certificate(header: object) -> Certificate | None:
    """The certificate from a message's header; None where that is missing or not ours."""
    if not isinstance(header, str):
        return None
    try:
        return msgspec.json.decode(header, type=Certificate)
    except (msgspec.DecodeError, RecursionError):
        return None
