"""A stored value that cannot be shown leaves its own cell empty, not the whole list.

The admin calls a function for each cell of a list and each line of a page; what one raises is that
cell's own. It is logged once, with the document's type and the field.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import flatten_fieldsets

logger = logging.getLogger(__name__)

#: What a cell shows in place of what cannot be shown.
UNREADABLE = "(unreadable)"

#: Each kind of failure that was logged already: as many as fields and types, whatever the values.
_reported: set[tuple[str, str]] = set()


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


def _isolated(column: Callable[[Any], Any], name: str) -> Callable[[Any], Any]:
    @wraps(column)
    def isolated(shown: Any) -> Any:
        try:
            return column(shown)
        except Exception as error:
            report(name, type(error).__name__, repr(error))
            return UNREADABLE

    return isolated


def report(what: str, kind: str, why: str) -> None:
    """Log, once for each kind, that a stored value cannot be read.

    Args:
        what: the document's type and the field.
        kind: the type of the value, or of the error: there are few of it.
        why: with the value, of the first one.
    """
    if (what, kind) not in _reported:
        _reported.add((what, kind))
        logger.error(
            "A stored value of %s cannot be read, so it is shown as nothing: %s. The program "
            "that wrote it has to write what this release reads; the other documents are shown.",
            what,
            why,
        )
