"""Prepares untrusted text for print: composed letters, line breaks, no invisible characters."""

from __future__ import annotations

import re
import unicodedata

#: Everything that Unicode calls the end of a line, https://www.unicode.org/reports/tr14/#BK
_LINE_BREAK = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
#: Would show the letters around them in another sequence than they are stored in.
_BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def lines(text: str) -> str:
    """Text that may have several lines: they end with a line feed each, blank ones go."""
    shown = (line_of(line) for line in _LINE_BREAK.split(text))
    return "\n".join(line for line in shown if line)


def one_line(text: str) -> str:
    """Text that has its place in a line: a line break is a space."""
    return " ".join(lines(text).split("\n"))


def line_of(text: str) -> str:
    """One line: `e` and a combining accent are `é`, tabs are spaces, control characters go."""
    composed = unicodedata.normalize("NFC", text.replace("\t", " "))
    return "".join(each for each in composed if not _is_invisible(each)).strip()


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) == "Cc" or character in _BIDI_CONTROLS
