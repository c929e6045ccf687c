"""OWASP API5:2023 in the admin: nobody gives what they do not have, to themselves or to others."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client, override_settings

from ordersite.staff.roles import make_roles

pytestmark = pytest.mark.usefixtures("clean")

USERS = ("view_user", "add_user", "change_user", "delete_user")
GROUPS = ("view_group", "change_group", "delete_group", "add_group")
NEW = "entirely-new-and-long"
PASSWORD = {"password1": NEW, "password2": NEW, "usable_password": "true"}


def user(name: str, *permissions: str, **more: Any) -> User:
    made = User.objects.create_user(name, is_staff=True, **more)
    made.user_permissions.set(pks(*permissions))
    return made


def pks(*codenames: str) -> list[Any]:
    return [each.pk for each in Permission.objects.filter(codename__in=codenames)]


def client_of(user: User) -> Client:
    client = Client(SERVER_NAME="localhost", raise_request_exception=False)
    client.force_login(user)
    return client


def page(record: Any, what: str = "change") -> str:
    meta = record._meta
    return f"/admin/{meta.app_label}/{meta.model_name}/{record.pk}/{what}/"


def form(user: User, **changed: Any) -> dict[str, Any]:
    joined = {"date_joined_0": "2026-01-31", "date_joined_1": "12:00:00"}
    return {"username": user.username, "is_staff": "on", "is_active": "on", **joined} | changed


def test_who_changes_users_makes_no_superuser_of_anybody() -> None:
    clerk, other = user("clerk", *USERS), user("other")

    for each in (clerk, other):
        client_of(clerk).post(page(each), form(each, is_superuser="on"))
        each.refresh_from_db()
        assert not each.is_superuser


def test_nobody_gives_a_permission_or_a_group_that_says_more_than_their_own() -> None:
    make_roles()
    viewer, administrator = (Group.objects.get(name=name) for name in ("viewer", "administrator"))
    clerk, other = user("clerk", *USERS, "view_order"), user("other")

    refused = [
        client_of(clerk).post(page(each), form(each, **more)).status_code
        for each in (other, clerk)
        for more in (
            {"user_permissions": pks("edit_failedmessage")},
            {"groups": [str(administrator.pk)]},
            {"groups": [str(viewer.pk)]},
        )
    ]
    given = client_of(clerk).post(page(other), form(other, user_permissions=pks("view_order")))

    assert refused == [403] * 6
    assert given.status_code == 302
    assert list(other.user_permissions.values_list("codename", flat=True)) == ["view_order"]
    assert not other.groups.exists()


def test_what_a_user_has_already_may_stay_or_be_taken() -> None:
    clerk = user("clerk", *USERS, "view_order", "edit_failedmessage")
    other = user("other", "view_order", "edit_failedmessage")

    kept = form(other, user_permissions=pks("edit_failedmessage"))
    assert client_of(clerk).post(page(other), kept).status_code == 302

    assert list(other.user_permissions.values_list("codename", flat=True)) == ["edit_failedmessage"]


@pytest.mark.parametrize("more", [{"is_superuser": True}, {}], ids=["superuser", "lead"])
def test_nobody_sets_the_password_of_whoever_may_do_more(more: dict[str, bool]) -> None:
    clerk, boss = user("clerk", *USERS), user("boss", "edit_failedmessage", **more)
    client = client_of(clerk)

    assert client.post(page(boss, "password"), PASSWORD).status_code == 403
    assert client.post(page(boss), form(boss, is_active="")).status_code == 403
    assert client.post(page(boss, "delete"), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [boss.pk], "post": "yes"}
    client.post("/admin/auth/user/", chosen)

    boss.refresh_from_db()
    assert boss.is_active
    assert not boss.has_usable_password()
    equal = user("equal", "change_user")
    assert client.post(page(equal, "password"), PASSWORD).status_code == 302


def test_nobody_puts_into_a_group_what_they_do_not_have() -> None:
    group = Group.objects.create(name="warehouse")
    clerk = user("clerk", *GROUPS, "view_order")
    clerk.groups.add(group)
    client = client_of(clerk)

    more = {"name": group.name, "permissions": pks("edit_failedmessage")}
    assert client.post(page(group), more).status_code == 403
    assert client.post("/admin/auth/group/add/", more | {"name": "mine"}).status_code == 403
    fine = {"name": group.name, "permissions": pks("view_order")}
    assert client.post(page(group), fine).status_code == 302

    assert list(group.permissions.values_list("codename", flat=True)) == ["view_order"]
    assert not Group.objects.filter(name="mine").exists()


def test_nobody_takes_a_name_from_a_group_or_permissions_that_they_do_not_have() -> None:
    """Renamed to `viewer`, the administrators' group would be that of every viewer at a login."""
    group = Group.objects.create(name="warehouse")
    group.permissions.set(pks("edit_failedmessage"))
    client = client_of(user("clerk", *GROUPS, "view_order"))

    assert client.post(page(group), {"name": "viewer"}).status_code == 403
    assert client.post(page(group), {"name": group.name}).status_code == 403
    assert client.get(page(group)).status_code == 200

    group.refresh_from_db()
    assert group.name == "warehouse"
    assert list(group.permissions.values_list("codename", flat=True)) == ["edit_failedmessage"]


@override_settings(OIDC_ROLES={"shop-packers": "packers"})
def test_the_names_of_roles_stay() -> None:
    make_roles()
    roles = [*Group.objects.all(), Group.objects.create(name="packers")]
    own = Group.objects.create(name="own")
    client = client_of(user("root", is_superuser=True))

    for each in (*roles, own):
        assert client.post(page(each), {"name": f"new {each.name}"}).status_code == 302
    assert client.post("/admin/auth/group/add/", {"name": "more"}).status_code == 302

    assert sorted(Group.objects.values_list("name", flat=True)) == sorted(
        [*(each.name for each in roles), "new own", "more"]
    )
    assert "Roles are known by these names" in client.get(page(roles[0])).content.decode()


def test_a_superuser_and_an_administrator_say_who_may_do_what() -> None:
    make_roles()
    administrator = user("administrator")
    administrator.groups.add(Group.objects.get(name="administrator"))
    lead = Group.objects.get(name="lead")
    for number, boss in enumerate((administrator, user("root", is_superuser=True))):
        other = user(f"other-{number}")
        answer = client_of(boss).post(page(other), form(other, groups=[str(lead.pk)]))
        assert answer.status_code == 302
        assert list(other.groups.all()) == [lead]
