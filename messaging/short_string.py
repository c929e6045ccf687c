"""AMQP's short strings: at most 255 bytes, which should be UTF-8 and may be anything.

RabbitMQ checks no byte of a routing key or an exchange's name. So text that came over the wire
holds each byte that is not UTF-8 as a lone surrogate, as Python's file names do (PEP 383): it is
published again to the byte. A person gets to see `\\xff` instead.
AMQP 0-9-1, section 4.2.5.3.
"""

from __future__ import annotations

LIMIT_BYTES = 255


def read_short(payload: bytes, offset: int) -> tuple[str, int]:
    """The short string at the offset, and the offset behind it."""
    start = offset + 1
    end = start + payload[offset]
    return payload[start:end].decode("utf-8", "surrogateescape"), end


def short(text: str) -> bytes:
    """The text with its length before it.

    Raises:
        ValueError: it is longer than AMQP's 255 bytes.
    """
    encoded = _encoded(text)
    if len(encoded) > LIMIT_BYTES:
        raise ValueError(
            f"AMQP takes at most {LIMIT_BYTES} bytes, not {len(encoded)}: {text[:80]!r}…"
        )
    return bytes((len(encoded),)) + encoded


def readable(text: str) -> str:
    """The text as valid UTF-8: a byte that came over the wire as `\\xff`, others as `\\ud800`."""
    if text.isascii():
        return text
    try:
        encoded = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        encoded = text.encode("utf-8", "backslashreplace")
    return encoded.decode("utf-8", "backslashreplace")


def is_readable(text: str) -> bool:
    """Whether the text is valid UTF-8."""
    return readable(text) == text


def shortened(text: str) -> str:
    """The text as valid UTF-8 that fits a short string."""
    if len(text) <= LIMIT_BYTES and text.isascii():
        return text
    return readable(text).encode()[:LIMIT_BYTES].decode("utf-8", "ignore")


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # No text of the wire's, which `read_short` would have made of other surrogates.
        return text.encode("utf-8", "surrogatepass")
