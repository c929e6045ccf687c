"""The roles of the staff, as Django's groups: each may do what the one before it may, and more."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, Permission

log = logging.getLogger(__name__)

#: Whose records are about the staff itself, and so for administrators alone.
OF_ADMINISTRATORS = {"auth", "admin", "contenttypes", "sessions", "access"}


@dataclass(frozen=True, slots=True)
class Role:
    """A group of permissions for one kind of work."""

    name: str
    #: What who has it does.
    does: str
    #: What it may do beyond the role before it, as `app.codename`.
    adds: frozenset[str] = frozenset()


VIEWER = Role("viewer", "Sees orders, stock, invoices, failed messages and the audit log.")
OPERATOR = Role(
    "operator",
    "Keeps orders flowing: replays failed messages, notes causes, moves stock, cancels orders.",
    frozenset(
        {
            "failed_messages.replay_failedmessage",
            "failed_messages.change_failuregroup",
            "inventory.restock_product",
            "inventory.ship_reservation",
            "orders.change_order",
            "webhooks.change_endpoint",
        }
    ),
)
LEAD = Role(
    "lead",
    "Decides what an operator may not alone: edits, discards, products and prices.",
    frozenset(
        {
            "failed_messages.edit_failedmessage",
            "failed_messages.discard_failedmessage",
            "inventory.add_product",
            "inventory.change_product",
            "orders.add_order",
        }
    ),
)
ADMINISTRATOR = Role("administrator", "Does everything, and says who else may do what.")

ROLES = (VIEWER, OPERATOR, LEAD, ADMINISTRATOR)


def make_roles(**signal: Any) -> list[str]:
    """Make the groups that are missing; after every `migrate`, any number of times.

    A group that is there stays as it is: whoever took a permission from it gets no surprise from
    an upgrade. The page of roles shows what it lacks.

    Returns: the names of those it made.
    """
    known = {named(each): each for each in Permission.objects.select_related("content_type")}
    there = set(Group.objects.values_list("name", flat=True))
    made = []
    for role in ROLES:
        if role.name in there:
            continue
        group, is_new = Group.objects.get_or_create(name=role.name)
        if is_new:
            group.permissions.set([known[each] for each in permissions_of(role, known)])
            made.append(role.name)
            log.info("Made the role %s", role.name)
    return made


def permissions_of(role: Role, known: Iterable[str]) -> list[str]:
    """What the role has from the start, out of all permissions that there are."""
    if role is ADMINISTRATOR:
        return sorted(known)
    added = {each for before in ROLES[: ROLES.index(role) + 1] for each in before.adds}
    return sorted(each for each in known if each in added or is_view(each))


def is_view(permission: str) -> bool:
    """Whether it only shows what the staff works with."""
    app, _, codename = permission.partition(".")
    return codename.startswith("view_") and app not in OF_ADMINISTRATORS


def named(permission: Permission) -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"


def names(permissions: Any) -> set[str]:
    """`app.codename` of each; of a manager's all, in one query."""
    found: Iterable[Permission] = (
        permissions.select_related("content_type")
        if hasattr(permissions, "select_related")
        else permissions
    )
    return {named(each) for each in found}
