"""Who may do what, and how people log in, does not change without an entry in the audit log."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command

from failed_messages.models import AuditEntry
from ordersite.staff import second_factor
from ordersite.staff.roles import make_roles
from runtime.os_user import os_user
from tests.staff.test_given_permissions import PASSWORD, client_of, form, page, pks, user
from tests.staff.test_second_factor import code

pytestmark = pytest.mark.usefixtures("clean")

Said = tuple[str, str, str, str, dict[str, Any], dict[str, Any]]


@pytest.fixture
def boss() -> User:
    return user("boss", is_superuser=True)


def entries() -> list[Said]:
    """What the audit log says, the oldest first: who, what, about whom; before and after."""
    return [
        (
            each.by, each.act, each.subject, each.subject_id,
            json.loads(each.before), json.loads(each.after),
        )
        for each in AuditEntry.objects.order_by("at", "id")
    ]  # fmt: skip


def test_a_users_permissions_and_roles(boss: User) -> None:
    make_roles()
    viewer = Group.objects.get(name="viewer")
    anna = user("anna", "view_order")
    changed = form(
        anna, username="ann", user_permissions=pks("edit_failedmessage"), groups=[str(viewer.pk)]
    )

    assert client_of(boss).post(page(anna), changed).status_code == 302
    assert client_of(boss).post(page(anna), form(anna, username="ann")).status_code == 302
    assert client_of(boss).post(page(anna), form(anna, username="ann")).status_code == 302

    first, second = entries()
    assert first == (
        *("boss", "change", "user", "ann"),
        {"name": "anna", "permissions": ["orders.view_order"]},
        {
            "name": "ann",
            "permissions": ["failed_messages.edit_failedmessage"],
            "roles": ["viewer"],
        },
    )
    assert second == (
        *("boss", "change", "user", "ann"),
        {"permissions": ["failed_messages.edit_failedmessage"], "roles": ["viewer"]},
        {},
    )
    shown = client_of(boss).get("/admin/failed_messages/auditentry/").content.decode()
    assert "user ann" in shown
    assert "failed_messages.edit_failedmessage" in shown


def test_a_user_who_is_made_switched_off_and_deleted(boss: User) -> None:
    client = client_of(boss)
    made = client.post("/admin/auth/user/add/", {"username": "anna", **PASSWORD})
    assert made.status_code == 302
    anna = User.objects.get(username="anna")
    client.post(page(anna), form(anna, is_staff="", is_active=""))
    ben = user("ben")
    client.post(page(anna, "delete"), {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [ben.pk], "post": "yes"}
    client.post("/admin/auth/user/", chosen)

    said = entries()
    assert [each[:4] for each in said] == [
        ("boss", act, "user", name)
        for act, name in [
            *(("create", "anna"), ("change", "anna"), ("delete", "anna"), ("delete", "ben"))
        ]
    ]
    assert said[0][5]["active"] is True
    assert said[1][4:] == ({"active": True}, {"active": False})
    assert said[3][4]["staff"] is True


def test_a_role_and_what_it_gives(boss: User) -> None:
    client = client_of(boss)
    given = {"name": "packers", "permissions": pks("view_order")}
    assert client.post("/admin/auth/group/add/", given).status_code == 302
    packers = Group.objects.get()
    client.post(page(packers), {"name": "packers", "permissions": pks("edit_failedmessage")})
    client.post(page(packers, "delete"), {"post": "yes"})

    assert entries() == [
        (
            *("boss", "create", "role", "packers"),
            {},
            {"name": "packers", "permissions": ["orders.view_order"]},
        ),
        (
            *("boss", "change", "role", "packers"),
            {"permissions": ["orders.view_order"]},
            {"permissions": ["failed_messages.edit_failedmessage"]},
        ),
        (
            *("boss", "delete", "role", "packers"),
            {"name": "packers", "permissions": ["failed_messages.edit_failedmessage"]},
            {},
        ),
    ]


def test_a_password_of_another_and_ones_own(boss: User) -> None:
    anna = user("anna", password="the-first-one-is-long")
    assert client_of(boss).post(page(anna, "password"), PASSWORD).status_code == 302
    anna.refresh_from_db()
    new = {"new_password1": "another-one-that-is-long", "new_password2": "another-one-that-is-long"}
    own = {"old_password": PASSWORD["password1"], **new}
    assert client_of(anna).post("/admin/password_change/", own).status_code == 302

    assert entries() == [
        ("boss", "set password", "user", "anna", {}, {}),
        ("anna", "set password", "user", "anna", {}, {}),
    ]


def test_a_second_factor_that_is_set_up_and_removed(boss: User) -> None:
    client = client_of(boss)
    client.post("/admin/second-factor/", {"what": "begin"})
    client.post("/admin/second-factor/", {"what": "confirm", "code": code(boss, -1)})
    client.post("/admin/second-factor/", {"what": "remove", "code": code(boss)})
    client.post("/admin/second-factor/", {"what": "begin"})
    assert second_factor.confirm(boss, code(boss))
    call_command("remove_second_factor", "boss")

    assert [each[:4] for each in entries()] == [
        (by, act, "user", "boss")
        for by, act in [
            ("boss", "set up second factor"),
            ("boss", "remove second factor"),
            ("boss", "set up second factor"),
            (os_user(), "remove second factor"),
        ]
    ]
