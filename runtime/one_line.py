"""Log lines: one for each event, whatever untrusted values contain."""

from __future__ import annotations

import logging
import sys
import unicodedata

from runtime.requests import request_id
from runtime.tracing.context import current_trace_id

#: What ends or hides a line, on a terminal or in whatever reads the log: controls (Cc), separators
#: of lines and paragraphs (Zl, Zp), directions of writing (Cf), halves of characters (Cs).
UNSAFE = {"Cc", "Zl", "Zp", "Cf", "Cs"}
NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


class _Escapes(dict[int, str]):
    """For `str.translate`: each character's escape, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if unicodedata.category(character) in UNSAFE:
            escape = NAMED.get(character) or f"\\u{code:04x}"
        else:
            escape = character
        # All of Unicode would be 1.1 million entries; a log meets some hundred.
        if len(self) < sys.maxunicode // 100:
            self[code] = escape
        return escape


_escapes = _Escapes()


def one_line(text: str) -> str:
    """The text with its control characters, line breaks and the like written out."""
    return text if text.isascii() and text.isprintable() else text.translate(_escapes)


class OneLine(logging.Formatter):
    """Any record as one line; a traceback is behind its message, with `\\n` for its line breaks.

    At its end are the ids of the request that it is about, and of the trace that is recorded.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = one_line(super().format(record))
        if id_ := request_id.in_logs():
            line = f"{line} [request {id_}]"
        if trace_id := current_trace_id():
            line = f"{line} [trace {trace_id}]"
        return line
