"""Names that are there twice in a JSON object.

Readers differ in which of the two they take (RFC 8259, section 4), so none of them is taken here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, get_args

import msgspec

from runtime.requests.faults import Path, alternatives, fields_of

_encode = msgspec.json.encode


def may_be_in(body: bytes, decoded: Any) -> bool:
    """Whether the body may have a name twice, which was decoded to this; False is certain.

    Only for a type that `is_encoded_as_sent`.
    Asked of every order, so it takes less than a microsecond. Of two equal names one is not in what
    was decoded, nor are its quotes. In a text a quote is there only behind a backslash.
    """
    return b"\\" in body or body.count(b'"') != _encode(decoded).count(b'"')


def is_encoded_as_sent(type_: Any) -> bool:
    """Whether a value of the type, encoded again, has no name that was not in its body."""
    return all(map(_names_no_more, alternatives(type_)))


def _names_no_more(type_: Any) -> bool:
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        omits_defaults = type_.__struct_config__.omit_defaults
        return all(
            (field.required or omits_defaults or field.default is msgspec.UNSET)
            and is_encoded_as_sent(field.type)
            for field in fields_of(type_).values()
        )
    return all(map(is_encoded_as_sent, get_args(type_)))


def paths_in(body: bytes) -> list[Path]:
    """The way to each name that its object has twice.

    Raises:
        ValueError, RecursionError: the body is not JSON.
    """
    # Numbers mean nothing here, and Python reads none of more than 4,300 digits.
    found = json.loads(body, object_pairs_hook=Members, parse_int=str, parse_float=str)
    return list(dict.fromkeys(_repeated(found)))


class Members(list[tuple[str, Any]]):
    """An object's names and values, as they are written."""


def _repeated(value: Any) -> Iterator[Path]:
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        path, each = waiting.pop()
        seen = set()
        for name, member in _members(each):
            if name in seen:
                yield (*path, name)
            seen.add(name)
            if isinstance(member, list):
                waiting.append(((*path, name), member))


def _members(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, Members):
        return value
    return enumerate(value) if isinstance(value, list) else ()
