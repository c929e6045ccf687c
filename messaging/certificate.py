"""The death certificate: why and how a message died.

It travels in the `certificate` header of the dead-lettered message, as JSON text, so that
nothing in it can be taken for an AMQP field. All headers of a message have to fit into one
frame (AMQP 0-9-1, section 4.2.6.1: content headers cannot be split), hence the cuts.
"""

from __future__ import annotations

import traceback
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from messaging.short_string import readable
from messaging.storable import plain, text

Decoded = TypeVar("Decoded")

#: The broker's frame is 131,072 bytes; these leave room for the rest of the headers.
MAX_ATTEMPTS_BYTES = 56_000
MAX_ORIGINAL_BYTES = 16_000
MAX_TRACEBACK_CHARACTERS = 4_000
MAX_TEXT_CHARACTERS = 1_000
#: What is kept of each text of the original message, where all of them do not fit.
SHORT_TEXT_CHARACTERS = 200


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
    UNTRUSTED_PUBLISHER = "untrusted_publisher"
    CONTRADICTS_RECORD = "contradicts_record"
    RETURNED = "returned"
    REJECTED = "rejected"
    EXPIRED = "expired"
    QUEUE_FULL = "queue_full"
    STOPPED = "stopped"


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
    #: Runs that ended with the worker's process, and left no attempt.
    kills: int = 0


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
    return text(str(error) or type(error).__name__, MAX_TEXT_CHARACTERS)


def traceback_of(error: BaseException) -> str:
    """The traceback's end: the frames next to the error say the most."""
    lines = readable("".join(traceback.format_exception(error)))
    if len(lines) <= MAX_TRACEBACK_CHARACTERS:
        return lines
    return "…" + lines[-MAX_TRACEBACK_CHARACTERS:]


def encode_attempts(attempts: tuple[Attempt, ...]) -> str:
    """The attempts as JSON text that fits its share of the frame.

    Older tracebacks go first, then older messages: the newest attempt keeps its own. Of more
    attempts than fit even so the newest are kept.
    """
    kept = list(attempts)
    excess_bytes = encoded_bytes(attempts) - MAX_ATTEMPTS_BYTES
    for shorten in (without_traceback, without_message):
        for index, attempt in enumerate(kept):
            if excess_bytes <= 0:
                break
            kept[index] = shorten(attempt)
            excess_bytes -= encoded_bytes(attempt) - encoded_bytes(kept[index])
    while excess_bytes > 0:
        excess_bytes -= encoded_bytes(kept.pop(0))
    return msgspec.json.encode(kept).decode()


def encoded_bytes(value: object) -> int:
    return len(msgspec.json.encode(value))


def without_traceback(attempt: Attempt) -> Attempt:
    return msgspec.structs.replace(attempt, traceback="")


def without_message(attempt: Attempt) -> Attempt:
    return msgspec.structs.replace(attempt, message="")


def decode_attempts(header: object) -> tuple[Attempt, ...]:
    """The attempts from a message's header; none where the header is missing or not ours."""
    return _decode(header, tuple[Attempt, ...]) or ()


def encode_original(original: Original) -> str:
    """How the message first arrived, as JSON text; shortened where it is too big."""
    for most_characters in (MAX_ORIGINAL_BYTES, SHORT_TEXT_CHARACTERS):
        encoded = msgspec.json.encode(_plain(original, most_characters))
        if len(encoded) <= MAX_ORIGINAL_BYTES:
            return encoded.decode()
    as_text = text(encoded, MAX_TEXT_CHARACTERS)
    short = msgspec.structs.replace(original, properties={}, headers={"shortened": as_text})
    return msgspec.json.encode(short).decode()


def decode_original(header: object) -> Original | None:
    """How the message first arrived, from its header; None where that is missing or not ours."""
    original = _decode(header, Original)
    return original and _plain(original)


def encode_certificate(certificate: Certificate) -> str:
    """The certificate as JSON text that fits one frame."""
    fitting = decode_attempts(encode_attempts(certificate.attempts))
    return msgspec.json.encode(msgspec.structs.replace(certificate, attempts=fitting)).decode()


def decode_certificate(header: object) -> Certificate | None:
    """The certificate from a message's header; None where that is missing or not ours."""
    certificate = _decode(header, Certificate)
    if certificate is None or certificate.original is None:
        return certificate
    return msgspec.structs.replace(certificate, original=_plain(certificate.original))


def _decode(header: object, type_: type[Decoded]) -> Decoded | None:
    """What we once encoded; None for anything else, which a publisher may have written."""
    if not isinstance(header, str):
        return None
    try:
        # A header may hold a lone surrogate, which none of ours does.
        return msgspec.json.decode(header.encode(), type=type_)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None


def _plain(original: Original, most_characters: int = MAX_ORIGINAL_BYTES) -> Original:
    """The same, out of what JSON and MongoDB can hold."""
    return Original(
        exchange=readable(original.exchange),
        routing_key=readable(original.routing_key),
        redelivered=original.redelivered,
        properties=plain(original.properties, most_characters),
        headers=plain(original.headers, most_characters),
    )
