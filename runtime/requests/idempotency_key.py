"""The header `Idempotency-Key`: what identifies a client's request."""

from __future__ import annotations

from runtime.requests.header import one_value
from runtime.requests.operation import Header
from runtime.requests.refusal import Fault, Refusal

HEADER = "Idempotency-Key"


def field(most_characters: int, example: str) -> Header:
    """The header for the API's description."""
    return Header(
        HEADER,
        f"Identifies the request, in 1 to {most_characters} characters: a repeat with the same "
        "key does nothing again.",
        example,
    )


def read(value: str, title: str, most_characters: int, example: str) -> str:
    """The key that the header's lines say, joined by commas; see `header.one_value`.

    Args:
        title: what did not happen, if the request is refused.
        most_characters: how long a key may be.
        example: an example of a good key.

    Raises:
        Refusal: there are different keys, or the key is empty or too long.
    """
    key = one_value(HEADER, value, title)
    if not 1 <= len(key) <= most_characters:
        fix = f"Send 1 to {most_characters} characters, for example {example}."
        fault = Fault(
            field=HEADER,
            detail=f"must have 1 to {most_characters} characters, not {len(key)}",
            fix=fix,
        )
        raise Refusal(title, [fault])
    return key
