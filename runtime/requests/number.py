"""Whole numbers that a person or a program writes as text."""

from __future__ import annotations

import re

#: The largest that MongoDB stores.
MOST = 2**63 - 1

_DIGITS = re.compile(r"[0-9]{1,19}")


def whole_number(text: str, least: int = 1, most: int = MOST) -> int:
    """The number that the text says.

    Raises:
        ValueError: it has anything but the digits 0 to 9, or is out of these bounds.
    """
    if not _DIGITS.fullmatch(text) or not least <= int(text) <= most:
        raise ValueError(f"must be a whole number from {least} to {most}")
    return int(text)


def number_in(text: str) -> int | None:
    """The number that a search may be for: of a user, say; None where the text is none."""
    try:
        return whole_number(text.strip())
    except ValueError:
        return None
