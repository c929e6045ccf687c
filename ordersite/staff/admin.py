"""The admin's pages of users and groups. Nobody gives what they do not have, or acts on whoever
may do more: such a password is as good as the permission.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from ordersite.staff.audited import Audited, note
from ordersite.staff.forms import ChangePassword
from ordersite.staff.roles import ROLES, names

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class StaffAdmin(Audited, UserAdmin):
    """Django's own, whose page of the password writes the password alone."""

    change_password_form = ChangePassword

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        may = super().has_change_permission(request, obj)
        return may and (obj is None or may_as_much(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or may_as_much(request.user, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        more = () if request.user.is_superuser else ("is_superuser",)
        return (*super().get_readonly_fields(request, obj), *more)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """Before anything is written."""
        given = set(form.cleaned_data.get("user_permissions", ()))
        groups = form.cleaned_data.get("groups", ())
        given |= set(Permission.objects.filter(group__in=[each.pk for each in groups]))
        check_given(request, names(given) - held_by(form.instance))
        return super().save_form(request, form, change)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Also called once a password is set."""
        if isinstance(form, ChangePassword):
            note("set password", form.user, by=request.user.get_username())
        return super().construct_change_message(request, form, formsets, add)


@admin.register(Group)
class RolesAdmin(Audited, GroupAdmin):
    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """A group says who may do what, by its name too, so that it changes with all it gives."""
        may = super().has_change_permission(request, obj)
        return may and (obj is None or has_all(request.user, names(obj.permissions)))

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or has_all(request.user, names(obj.permissions)))

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        more = ("name",) if obj is not None and is_known_by_name(obj) else ()
        return (*super().get_readonly_fields(request, obj), *more)

    def get_fieldsets(self, request: HttpRequest, obj: Group | None = None) -> Any:
        fields: dict[str, Any] = {"fields": self.get_fields(request, obj)}
        if obj is not None and is_known_by_name(obj):
            fields["description"] = "Roles are known by these names, which therefore stay."
        return [(None, fields)]

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """Before anything is written."""
        before = names(form.instance.permissions) if change else set()
        check_given(request, names(form.cleaned_data.get("permissions", ())) - before)
        return super().save_form(request, form, change)


def is_known_by_name(group: Group) -> bool:
    """Whether the product or the provider gives people this group by its name."""
    return group.name in {*(role.name for role in ROLES), *settings.OIDC_ROLES.values()}


def may_as_much(user: Any, other: User) -> bool:
    """Whether the user may do all that the other one may."""
    return user.is_superuser or (not other.is_superuser and has_all(user, held_by(other)))


def held_by(user: User) -> set[str]:
    """What the user may do by permissions and groups, also one who is not active now."""
    if user.pk is None:
        return set()
    by_groups = [each.pk for each in user.groups.all()]
    return names(user.user_permissions) | names(Permission.objects.filter(group__in=by_groups))


def has_all(user: Any, wanted: set[str]) -> bool:
    return bool(user.is_superuser) or wanted <= user.get_all_permissions()


def check_given(request: HttpRequest, given: set[str]) -> None:
    """Raises PermissionDenied: the user would give what they do not have."""
    if not has_all(request.user, given):
        raise PermissionDenied
