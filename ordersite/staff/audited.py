"""What is done to users and groups is in the audit log, which nobody changes.

Django's own history of its records can be rewritten. Django writes outside of transactions, so an
entry follows what was written, within the request; that of a deletion comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest

from failed_messages.records import audit
from ordersite.staff.roles import names
from runtime.transactions import in_transaction

#: Who acts where the provider says which roles somebody has.
PROVIDER = "OpenID Connect"

Shown = dict[str, Any]


def note(
    act: str,
    record: User | Group,
    *,
    by: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add one entry."""
    subject, name = subject_of(record)
    in_transaction(
        partial(
            audit.note, act=act, subject=subject, subject_id=name, by=by, before=before, after=after
        )
    )


def note_change(record: User | Group, before: Shown, *, by: str) -> None:
    """Add what differs from `before`; nothing where nothing does."""
    after = shown(record)
    lost, won = beside(before, after), beside(after, before)
    if lost or won:
        note("change", record, by=by, before=lost, after=won)


def subject_of(record: User | Group) -> tuple[str, str]:
    """As the audit log has it: of which kind, and its name."""
    if isinstance(record, Group):
        return audit.ROLE, record.name
    return audit.USER, record.get_username()


def shown(record: User | Group) -> Shown:
    """What decides on what somebody may do."""
    if isinstance(record, Group):
        return {"name": record.name, "permissions": sorted(names(record.permissions))}
    return {
        "name": record.get_username(),
        "active": record.is_active,
        "staff": record.is_staff,
        "superuser": record.is_superuser,
        "roles": sorted(record.groups.values_list("name", flat=True)),
        "permissions": sorted(names(record.user_permissions)),
    }


def beside(one: Shown, other: Shown) -> Shown:
    """What the one says and the other does not; of a list the items."""
    items = {
        name: [each for each in value if each not in other[name]]
        for name, value in one.items()
        if isinstance(value, list)
    }
    values = {name: value for name, value in one.items() if name not in items}
    differing = {name: value for name, value in values.items() if value != other[name]}
    return differing | {name: value for name, value in items.items() if value}


class Audited(ModelAdmin):
    """In front of Django's own pages of users and groups."""

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        if change:
            form.before = shown(self.model._default_manager.get(pk=form.instance.pk))
        return super().save_form(request, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The last that is written."""
        super().save_related(request, form, formsets, change)
        by = request.user.get_username()
        if change:
            note_change(form.instance, form.before, by=by)
        else:
            note("create", form.instance, by=by, after=shown(form.instance))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Called before they are deleted, one or many."""
        for each in queryset:
            note("delete", each, by=request.user.get_username(), before=shown(each))
        return super().log_deletions(request, queryset)
