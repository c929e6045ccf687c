"""Change forms that write what their user changed, and nothing else.

Django's `save()` writes every field as the form showed it, so that of two people with one record
open, the second one puts the first one's values back. https://code.djangoproject.com/ticket/16260
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.views.main import ERROR_FLAG
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from ordersite.stale_form import StaleForm, stale
from ordersite.unreadable import isolate_cells

#: The form tells the loser of a race; what won is there at the next try.
RACES = 3


class Moved(Exception):
    """Between the form's check and its write another user changed a field that it changes."""


class CarefulAdmin(ModelAdmin):
    """What every `ModelAdmin` of the site has in front of it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # A cell that cannot be shown does not hide the list that it is in.
        isolate_cells(self)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if change:
            kwargs.setdefault("form", stale(self.form))
        return super().get_form(request, obj, change=change, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        try:
            return super().changelist_view(request, extra_context)
        except (OverflowError, ValueError):
            # A filter by a field that has no lookups, or by a moment that is in no year from 1 to
            # 9999 in UTC: Django's own answer to a filter that makes no sense.
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        for _ in range(RACES - 1):
            with suppress(Moved, IntegrityError):
                return super().changeform_view(request, *args, **kwargs)
        return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        write(obj, form)
        for said in form.spared:
            self.message_user(request, said, messages.WARNING)


def write(obj: Any, form: StaleForm) -> None:
    """Write the fields that the form's user changed, if they are as the form checked them.

    Raises:
        Moved: they are not, so nothing was written.
    """
    columns = {field.name for field in obj._meta.concrete_fields}
    names = [name for name in form.changes if name in columns]
    if not names:
        return
    checked = {name: form.initial[name] for name in names}
    found = type(obj)._base_manager.filter(pk=obj.pk, **checked)
    if not found.update(**{name: getattr(obj, name) for name in names}):
        raise Moved
