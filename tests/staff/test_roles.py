"""Four roles from the start, which `migrate` makes once and nobody's upgrade changes."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from ordersite.staff.roles import ROLES, make_roles, named, permissions_of

pytestmark = pytest.mark.usefixtures("clean")


def held(name: str) -> set[str]:
    group = Group.objects.get(name=name)
    return {named(each) for each in group.permissions.select_related("content_type")}


def member_of(role: str) -> User:
    user = User.objects.create_user(role, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def browser(user: User) -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client


def test_each_role_may_what_the_one_before_it_may_and_more() -> None:
    assert make_roles() == ["viewer", "operator", "lead", "administrator"]

    viewer, operator, lead, administrator = (held(role.name) for role in ROLES)
    assert viewer < operator < lead < administrator
    assert {each.partition(".")[2].partition("_")[0] for each in viewer} == {"view"}
    assert "failed_messages.replay_failedmessage" in operator - viewer
    assert "failed_messages.edit_failedmessage" in lead - operator
    assert "auth.change_user" in administrator - lead


def test_every_permission_that_a_role_names_exists() -> None:
    known = {named(each) for each in Permission.objects.select_related("content_type")}

    assert {each for role in ROLES for each in role.adds} <= known


def test_a_role_that_somebody_changed_stays_as_it_is() -> None:
    make_roles()
    Group.objects.get(name="lead").permissions.clear()

    assert make_roles() == []
    assert held("lead") == set()


def test_the_page_tells_who_may_do_what() -> None:
    make_roles()
    Group.objects.get(name="lead").permissions.clear()
    member_of("operator")

    page = browser(member_of("administrator")).get("/admin/roles/").content.decode()

    assert "failed_messages.replay_failedmessage" in page
    assert re.search(r"lead lacks [^<]*failed_messages\.change_failuregroup", page)
    assert "operator</a>" in page


@pytest.mark.parametrize("role", ["viewer", "operator", "lead"])
def test_the_page_is_for_administrators(role: str) -> None:
    make_roles()

    assert browser(member_of(role)).get("/admin/roles/").status_code == 403


def test_a_role_of_a_service_that_is_not_there_is_no_error() -> None:
    assert permissions_of(ROLES[1], ["orders.view_order"]) == ["orders.view_order"]
