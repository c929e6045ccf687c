"""Change forms that write what their user changed, and nothing else.

Django's `save()` writes every field as the form showed it, so that of two people with one record
open, the second one puts the first one's values back. https://code.djangoproject.com/ticket/16260
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.views.main import ERROR_FLAG
from django.db import IntegrityError, connection
from django.db.models import Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from ordersite.stale_form import StaleForm, stale
from ordersite.unreadable_cells import isolate_cells
from runtime.wrong_filters import refuse, wrong_value

#: What may follow a field in the address of a list, and the key of a record that it refers to.
COMPARISONS = {"exact", "in", "gt", "gte", "lt", "lte", "isnull", "id", "pk"}

#: The form tells the loser of a race; what won is there at the next try.
RACES = 3


UNKNOWN = "one is not known here, or has a value that it cannot have. Choose one beside the list."

CANNOT_BE_WRITTEN = (
    "Nothing is saved: a field that you changed has another value each time, or one that cannot be "
    "read or written over here. Try again; where it stays so, correct it in MongoDB."
)


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

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Django takes the empty field of a form, `_to_field=`, for the name of one."""
        return super().get_object(request, object_id, from_field or None)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        try:
            return super().changelist_view(request, extra_context)
        except (ArithmeticError, TypeError, ValueError):
            if ERROR_FLAG in request.GET:
                # It was none of the filters.
                raise
            # A filter by a field that has no lookups, by a number that is too long, or by a moment
            # that is in no year from 1 to 9999 in UTC: Django's own answer to a filter that makes
            # no sense.
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Whether the address may filter so: by a comparison.

        Django also lets it search by regular expressions, which MongoDB may refuse, or try
        on every document of a long collection without finding any.
        """
        _, *further = lookup.split(LOOKUP_SEP)
        return COMPARISONS.issuperset(further) and super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Also called without a search: of a value that no record can have, nothing is listed."""
        found, has_duplicates = super().get_search_results(request, queryset, search_term)
        # A filter of an admin's own has checks of its own.
        own = {getattr(each, "parameter_name", "") for each in self.get_list_filter(request)}
        asked = {name: value for name, value in request.GET.items() if name not in own}
        wrong = list(wrong_choices(self.model, asked))
        # Django has sent whoever asked for what it does not know here, without a word.
        wrong += [UNKNOWN] * (ERROR_FLAG in request.GET)
        for reason in wrong:
            refuse(request, reason)
        return (found.none() if wrong else found), has_duplicates

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        for _ in range(RACES - 1):
            with suppress(Moved, IntegrityError):
                return super().changeform_view(request, *args, **kwargs)
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Moved:
            messages.error(request, CANNOT_BE_WRITTEN)
            return HttpResponseRedirect(request.path)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        write(obj, form)
        for said in form.spared:
            self.message_user(request, said, messages.WARNING)


def wrong_choices(model: type[Model], parameters: Mapping[str, str]) -> Iterator[str]:
    """Why a filter by a field with choices cannot match: it names none of them."""
    fields = {field.name: field for field in model._meta.concrete_fields if field.flatchoices}
    for name, value in parameters.items():
        if field := fields.get(name.removesuffix("__exact")):
            choices = [str(choice) for choice, _ in field.flatchoices]
            if wrong := wrong_value(field.name, value, choices):
                yield wrong


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
    # What the form has shown may not be what is stored: it shows nothing of a price that is text,
    # and no query for nothing finds that. So what is stored is the condition.
    fields = {field.name: field for field in obj._meta.concrete_fields}
    collection = connection.database[obj._meta.db_table]
    stored = collection.find_one({"_id": obj.pk}) or {}
    as_read = type(obj)._base_manager.filter(pk=obj.pk).values(*names).first()
    same = {fields[name].column: {"$eq": stored.get(fields[name].column)} for name in names}
    change = {
        fields[name].column: fields[name].get_db_prep_save(getattr(obj, name), connection)
        for name in names
    }
    if as_read != checked:
        raise Moved
    if not collection.update_one({"_id": obj.pk, **same}, {"$set": change}).matched_count:
        raise Moved
