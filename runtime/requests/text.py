"""Text from outside that MongoDB, a browser and a terminal all take."""

from __future__ import annotations


def fault_in(text: str) -> str:
    """What is wrong with the text, in words like `must not have …`; empty where nothing is.

    MongoDB takes no NUL in a pattern and no lone surrogate anywhere; the latter is what Python
    makes of bytes on a command line that are not UTF-8.
    """
    if "\0" in text:
        return "must not have a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "must be text in UTF-8"
    return ""
