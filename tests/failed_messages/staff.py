"""Operators' browsers."""

from __future__ import annotations

from django.contrib.auth.models import Permission, User
from django.test import Client


def staff(*permissions: str) -> Client:
    """A staff member's browser, with these permissions; without any named, a superuser's."""
    name = "operator" if not permissions else f"operator with {', '.join(permissions)}"
    user, is_new = User.objects.get_or_create(
        username=name, defaults={"is_staff": True, "is_superuser": not permissions}
    )
    if is_new:
        for codename in permissions:
            user.user_permissions.add(Permission.objects.get(codename=codename))
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client
