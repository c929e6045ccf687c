"""What log lines are about: fields that those in JSON have beside their message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

#: Names as in the Elastic Common Schema; what it has no name for begins with `ordersite.`
Fields = Mapping[str, str]

_fields: ContextVar[Fields] = ContextVar("log_fields", default={})  # noqa: B039  read, never changed


@contextmanager
def about(fields: Fields) -> Iterator[None]:
    """Add the fields to every line that is logged inside; an empty one is left out."""
    token = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


def current() -> Fields:
    return _fields.get()
