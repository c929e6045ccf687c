"""The header `Idempotency-Key`: what identifies a client's request."""

from __future__ import annotations

import re

from runtime.requests.header import one_value
from runtime.requests.operation import Header
from runtime.requests.refusal import Fault, Refusal

HEADER = "Idempotency-Key"
#: Of a key, but where it is something of the client's that is shorter, as a delivery note's number.
MOST_CHARACTERS = 255
#: `true` in the answer to a request that did nothing, as an earlier one with its key had done it.
REPLAYED = "Idempotent-Replayed"
#: The same for the API's description.
REPLAYED_FIELD = Header(
    REPLAYED,
    "`true` where an earlier request with this Idempotency-Key was answered so.",
    "true",
)

_STRING = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_ESCAPE = re.compile(r'\\(["\\])')


def field(example: str, most_characters: int = MOST_CHARACTERS) -> Header:
    """The header for the API's description."""
    return Header(
        HEADER,
        f"Identifies the request, in 1 to {most_characters} characters: a repeat with the same "
        "key does nothing again.",
        example,
        {"minLength": 1, "maxLength": most_characters, "pattern": "^[^,]*[^, \\t][^,]*$"},
    )


def read(value: str, title: str, example: str, most_characters: int = MOST_CHARACTERS) -> str:
    """The key that the header's lines say, joined by commas; see `header.one_value`.

    In quotes, as draft-ietf-httpapi-idempotency-key-header wants it, it is the same key.

    Args:
        title: what did not happen, if the request is refused.
        example: an example of a good key.
        most_characters: how long a key may be.

    Raises:
        Refusal: there are different keys, or the key is empty or too long.
    """
    key = unquoted(one_value(HEADER, value, title))
    if not 1 <= len(key) <= most_characters:
        fix = f"Send 1 to {most_characters} characters, for example {example}."
        fault = Fault(
            field=HEADER,
            detail=f"must have 1 to {most_characters} characters, not {len(key)}",
            fix=fix,
        )
        raise Refusal(title, [fault])
    return key


def unquoted(text: str) -> str:
    """What a string of RFC 9651 (section 3.3.3) says; any other text as it is."""
    quoted = _STRING.fullmatch(text)
    return _ESCAPE.sub(r"\1", quoted[1]) if quoted else text
