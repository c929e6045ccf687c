"""JSON in lines, for a person, in its own words.

Python's `json` reads a text and writes another one: 10.10 becomes 10.1, 1e400 `Infinity`, of two
fields of one name the second is left, and a lone surrogate is what no page can be encoded with.
Here numbers, escapes and fields stay as they were written, and only the blanks between them change.
"""

from __future__ import annotations

import re

import msgspec

#: A larger text is not indented. Nor is one that is nested more deeply, as each of its lines begins
#: with blanks for each level: a million values so deep would be a gigabyte.
MOST_BYTES = 2_000_000
MOST_LEVELS = 30

#: Also one that never ends, and without a way back: else each quote would be tried anew to the end.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")


def indented(body: bytes) -> str | None:
    """The text with a line for each value; None where it is not JSON, too large or too deep."""
    if len(body) > MOST_BYTES or not _is_shallow(body):
        return None
    try:
        return msgspec.json.format(body, indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def compact(body: bytes) -> bytes:
    """The text without the blanks between its values; as it is, where it is not JSON."""
    try:
        return msgspec.json.format(body, indent=-1)
    except (msgspec.DecodeError, RecursionError):
        return body


def _is_shallow(body: bytes) -> bool:
    level = 0
    for bracket in _BRACKET.finditer(_STRING.sub(b"", body)):
        level += 1 if bracket[0] in b"[{" else -1
        if level > MOST_LEVELS:
            return False
    return True
