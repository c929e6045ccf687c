"""The admin's page of roles: who may do what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from ordersite.staff.roles import ROLES, named, permissions_of

#: More users than these are for the list of users.
USERS_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Row:
    """One permission, and whether each of the groups has it."""

    permission: str
    says: str
    groups: list[bool]


@dataclass(frozen=True, slots=True)
class Person:
    """A user who may log in to the admin."""

    name: str
    id: Any
    roles: list[str]
    #: Given to this user alone.
    others: list[str]
    is_superuser: bool
    last_login: Any


def roles_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Raises PermissionDenied: the user may not see who the staff are."""
    if not request.user.has_perm("auth.view_user"):
        raise PermissionDenied
    groups = Group.objects.order_by("name")
    held = {group.name: {named(each) for each in known(group.permissions)} for group in groups}
    names = in_order(held)
    shown = {
        **context,
        "title": "Who may do what",
        "roles": [(name, said.get(name, "A group of your own.")) for name in names],
        "rows": rows(names, held),
        "people": people(),
        "differences": differences(held),
    }
    return TemplateResponse(request, "ordersite/roles.html", shown)


said = {role.name: role.does for role in ROLES}


def in_order(held: dict[str, set[str]]) -> list[str]:
    """The product's own roles, from the least to the most, and then the others."""
    own = [role.name for role in ROLES if role.name in held]
    return own + [name for name in held if name not in own]


def rows(names: list[str], held: dict[str, set[str]]) -> list[Row]:
    found = [
        Row(named(each), each.name, [named(each) in held[name] for name in names])
        for each in known(Permission.objects)
    ]
    # What nobody may do by a role is left to the page of each group.
    return sorted((row for row in found if any(row.groups)), key=lambda row: row.permission)


def people() -> list[Person]:
    users = User.objects.filter(is_staff=True, is_active=True).order_by("username")
    return [
        Person(
            user.get_username(),
            user.pk,
            sorted(group.name for group in user.groups.all()),
            sorted(named(each) for each in known(user.user_permissions)),
            user.is_superuser,
            user.last_login,
        )
        for user in users[:USERS_SHOWN]
    ]


def known(permissions: Any) -> list[Permission]:
    """Those of the manager, each with its model's name, in one query."""
    return list(permissions.select_related("content_type"))


def differences(held: dict[str, set[str]]) -> list[str]:
    """Where a role has less or more than it would be made with today."""
    all_named = [named(each) for each in known(Permission.objects)]
    told = []
    for role in ROLES:
        if role.name not in held:
            told.append(f"There is no group {role.name}; manage.py migrate makes it.")
            continue
        wanted = set(permissions_of(role, all_named))
        if lacking := wanted - held[role.name]:
            told.append(f"{role.name} lacks {', '.join(sorted(lacking))}.")
        if added := held[role.name] - wanted:
            told.append(f"{role.name} has {', '.join(sorted(added))} in addition.")
    return told
