"""A stored value that is not of its field's type costs its own field, never the list that it is in.

Other programs and earlier releases write to the same collections, and MongoDB takes any type. Two
places would answer 500 for everybody's document because of one:

- The database backend converts values as it reads rows. What it cannot convert is read as null.
- The admin calls a function for each cell of a list and each line of a page. What one raises is
  that cell's own.

Each is told once in the log, with the document's type and the field.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import wraps
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import flatten_fieldsets
from django.db import models
from django_mongodb_backend.compiler import SQLCompiler
from django_mongodb_backend.fields import EmbeddedModelField

logger = logging.getLogger(__name__)

#: What a cell shows in place of what cannot be shown.
UNREADABLE = "(unreadable)"

#: What Django's code expects of fields which the backend reads as they are, or item by item.
TYPES: dict[type[models.Field], type] = {
    models.BooleanField: bool,
    models.CharField: str,
    models.TextField: str,
    EmbeddedModelField: models.Model,
}

#: Each kind of failure that was told already; there are as many as fields and types.
_told: set[tuple[str, str]] = set()


def apply() -> None:
    """Let the backend read null for what it cannot convert, in this process."""
    SQLCompiler.get_converters = _lenient(SQLCompiler.get_converters)


def isolate_cells(shown: ModelAdmin) -> None:
    """Let each column of the admin's list fail for its own row alone, and each line of a page."""
    on_page = flatten_fieldsets(shown.fieldsets) if shown.fieldsets else shown.fields or ()
    for name in {*shown.list_display, *shown.readonly_fields, *on_page}:
        if isinstance(name, str) and callable(column := getattr(shown, name, None)):
            setattr(shown, name, _isolated(column, f"{shown.model._meta.label}.{name}"))
    shown.list_display = [
        _isolated(each, f"{shown.model._meta.label}.{each.__name__}") if callable(each) else each
        for each in shown.list_display
    ]


def _lenient(get_converters: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(get_converters)
    def lenient(compiler: Any, expressions: Sequence[Any]) -> Any:
        converters = get_converters(compiler, expressions)
        unconverted = [each for each in enumerate(expressions) if each[0] not in converters]
        checked: dict[int, tuple[list[Any], Any]] = {
            index: ([], each) for index, each in unconverted if _is_checked(each)
        }
        return {
            index: ([_converting(steps)], expression)
            for index, (steps, expression) in (converters | checked).items()
        }

    return lenient


def _converting(steps: list[Callable[..., Any]]) -> Callable[..., Any]:
    def convert(value: Any, expression: Any, connection: Any) -> Any:
        stored = value
        try:
            for step in steps:
                value = step(value, expression, connection)
            return value if value is None else _checked(value, expression)
        except Exception as error:
            # An annotation has no column, and is the query's own affair.
            if (field := getattr(expression, "target", None)) is None:
                raise
            _tell(str(field), f"{type(stored).__name__}: {error}")
            return None

    return convert


def _is_checked(expression: Any) -> bool:
    """Whether it is a column that the backend does not convert, and Django expects a type of."""
    field: Any = getattr(expression, "target", None)
    return bool(field) and not field.primary_key and isinstance(field, tuple(TYPES))


def _checked(value: Any, expression: Any) -> Any:
    """The value as it is shown. Raises TypeError, ValueError: it is none of its field."""
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{value} is not an amount")
    for kind, type_ in TYPES.items():
        if isinstance(getattr(expression, "target", None), kind) and not isinstance(value, type_):
            raise TypeError(f"{str(value)[:40]!r} is not of the type {type_.__name__}")
    # Nobody owes `-0.00`.
    return abs(value) if isinstance(value, Decimal) and not value else value


def _isolated(column: Callable[[Any], Any], name: str) -> Callable[[Any], Any]:
    @wraps(column)
    def isolated(shown: Any) -> Any:
        try:
            return column(shown)
        except Exception as error:
            _tell(name, repr(error))
            return UNREADABLE

    return isolated


def _tell(what: str, why: str) -> None:
    if (what, why) not in _told:
        _told.add((what, why))
        logger.error(
            "A stored value of %s cannot be read, so it is shown as nothing: %s. Whatever wrote it "
            "has to write what this release reads; the other documents are shown.",
            what,
            why,
        )
