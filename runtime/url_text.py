"""Checks of a URL in a setting."""

from __future__ import annotations


def check_characters(url: str) -> None:
    """Raises ValueError: it holds what was pasted beside it, as a blank or a line break."""
    if any(each.isspace() or not each.isprintable() for each in url):
        raise ValueError("it holds a blank, a line break or a control character.")
