"""Reads a body that anyone may have sent: each field is checked before it is used."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from messaging.errors import InvalidMessage
from runtime.requests.requirement import requirement

Schema = TypeVar("Schema", bound=msgspec.Struct)
Read = TypeVar("Read")

#: Stands in an error between what is wrong with a body and a right one.
EXAMPLE_FOLLOWS = "; for example "

_MISSING = re.compile(r"Object missing required field `(?P<name>\w+)`")


def read(body: Mapping[str, Any], schema: type[Schema], *, example: str) -> Schema:
    """Return the decoded JSON object as `schema`, an msgspec Struct; unknown fields are ignored.

    `example` is a body that is right, as JSON text; it is the fix that the error names.

    Raises:
        InvalidMessage: names the field, as in "items[0].sku: must be text, not an object".
    """
    try:
        return msgspec.convert(body, schema, strict=True)
    except msgspec.ValidationError as error:
        raise unreadable(_problem(str(error)), example=example) from None


def readable(
    bodies: Iterable[dict[str, Any]], read: Callable[[dict[str, Any]], Read]
) -> list[Read | None]:
    """What `read` makes of each body; None for one that it refuses, which is handled alone."""
    found: list[Read | None] = []
    for body in bodies:
        try:
            found.append(read(body))
        except InvalidMessage:
            found.append(None)
    return found


def split_example(error: str) -> tuple[str, str]:
    """What is wrong with a body, and a right one; the second is empty where the error has none."""
    problem, _, example = error.partition(EXAMPLE_FOLLOWS)
    return problem, example


def unreadable(problem: str, *, example: str) -> InvalidMessage:
    """The error that says what is wrong with a body, and an example of a right one."""
    return InvalidMessage(f"{problem}{EXAMPLE_FOLLOWS}{example}")


def _problem(text: str) -> str:
    text, _, place = text.partition(" - at `$")
    path = place.strip("`.")
    if missing := _MISSING.match(text):
        field = f"{path}.{missing['name']}" if path else missing["name"]
        return f"{field} is missing"
    return f"{path or 'body'}: {requirement(text)}"
