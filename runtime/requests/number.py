"""Whole numbers that a person or a program writes as text."""

from __future__ import annotations

import re
from typing import Annotated, Any

from msgspec import Meta

#: The largest that MongoDB stores.
MOST = 2**63 - 1
#: The largest below which JavaScript, and so JSON in a browser, has every whole number (RFC 8259,
#: section 6).
EXACT_IN_JAVASCRIPT = 2**53 - 1

#: Marks a field of a body that may be text where its number is larger.
TEXT_IF_LARGER = "text_if_larger"

#: Of a customer.
UserId = Annotated[
    int,
    Meta(
        ge=1,
        le=MOST,
        description="Of the customer. Beyond 2^53 - 1, which JavaScript rounds, a body may have it "
        "as text.",
        extra={TEXT_IF_LARGER: True},
    ),
]

_DIGITS = re.compile(r"[0-9]{1,19}")


def text_if_large(number: int | None) -> str | None:
    """Beside a number that JavaScript would round, its text; else None.

    So `userId` stays a number for every client, and `userIdText` has each of its digits.
    """
    return None if number is None or number <= EXACT_IN_JAVASCRIPT else str(number)


def large_number(value: Any) -> Any:
    """The number that a text says which JavaScript would round; any other value as it is."""
    if not isinstance(value, str) or not _DIGITS.fullmatch(value) or value.startswith("0"):
        return value
    return int(value) if EXACT_IN_JAVASCRIPT < int(value) <= MOST else value


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
