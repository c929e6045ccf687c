"""What a message says otherwise than what its service has stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from messaging.order_id import canonical
from messaging.storable import text
from messaging.trust.records import Body

#: A message may tell these in other words, or not at all: its handler gets what is stored.
INCIDENTAL = frozenset({"createdAt", "status", "reason"})
#: In a text for a person.
MOST_DIFFERENCES = 5
MOST_CHARACTERS = 80


def differences(told: Body, stored: Body) -> list[str]:
    """What the message says otherwise than what is stored, in words."""
    of_interest = {name: value for name, value in stored.items() if name not in INCIDENTAL}
    found = [*_differences("", told, of_interest)]
    more = [f"{len(found) - MOST_DIFFERENCES} more"] if len(found) > MOST_DIFFERENCES else []
    return [*found[:MOST_DIFFERENCES], *more]


def _differences(place: str, told: Any, stored: Any) -> Iterator[str]:
    if isinstance(stored, dict) and isinstance(told, dict):
        for name, value in stored.items():
            yield from _differences(f"{place}.{name}" if place else name, told.get(name), value)
    elif isinstance(stored, list) and isinstance(told, list) and len(stored) == len(told):
        for index, (ours, theirs) in enumerate(zip(stored, told, strict=True)):
            yield from _differences(f"{place}[{index}]", theirs, ours)
    elif not _is_same(place, told, stored):
        yield f"{place} is {_shown(told)}, not {_shown(stored)}"


def _is_same(place: str, told: Any, stored: Any) -> bool:
    if place == "orderId" and isinstance(told, str | int):
        return canonical(str(told)) == stored
    if type(told) is type(stored) and told == stored:
        return True
    return isinstance(told, str) and isinstance(stored, str) and _is_same_amount(told, stored)


def _is_same_amount(told: str, stored: str) -> bool:
    """12.5 is 12.50, however it is written."""
    if not (told.isascii() and stored.isascii() and "." in stored):
        return False
    try:
        return Decimal(told) == Decimal(stored)
    except InvalidOperation:
        return False


def _shown(value: Any) -> str:
    if value is None:
        return "missing"
    return text(json.dumps(value, ensure_ascii=False), MOST_CHARACTERS)
