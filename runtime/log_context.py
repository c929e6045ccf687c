"""What log lines are about: fields that those in JSON have beside their message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

#: Names as in the Elastic Common Schema; what it has no name for begins with `ordersite.`
Fields = Mapping[str, str]

_fields: ContextVar[Callable[[], Fields]] = ContextVar("log_fields", default=dict)


@contextmanager
def about(fields: Callable[[], Fields]) -> Iterator[None]:
    """Add the fields to every line that is logged inside; an empty one is left out.

    They are worked out where a line is written, as most of what happens is not logged.
    """
    token = _fields.set(fields)
    try:
        yield
    finally:
        _fields.reset(token)


def current() -> Fields:
    return _fields.get()()
