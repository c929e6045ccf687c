"""Each route for each role: let through where the role has the permission, 403 where it has not."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client, override_settings

from ordersite.access.scopes import SCOPES
from ordersite.staff.roles import ROLES, make_roles
from tests.security.routes import routes

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """As outside of development."""
    with override_settings(API_IS_OPEN=False):
        yield


def client_of(role: str) -> tuple[User, Client]:
    user = User.objects.create_user(role, is_staff=True)
    if role != "nobody":
        user.groups.add(Group.objects.get(name=role))
    client = Client(SERVER_NAME="localhost", raise_request_exception=False)
    client.force_login(user)
    return user, client


@pytest.mark.parametrize("role", ["nobody", *(role.name for role in ROLES)])
def test_a_role_gets_through_where_it_may_and_nowhere_else(role: str) -> None:
    make_roles()
    user, client = client_of(role)
    wrong = {}
    for route in routes():
        permission = SCOPES[route.scope].permission
        may = not permission or user.has_perm(permission)
        answer = client.generic(route.method, route.path, json.dumps({}), "application/json")
        # What is asked for is not there, or the body says too little: that comes after.
        is_let_through = answer.status_code not in (401, 403)
        if is_let_through != may or answer.status_code >= 500:
            wrong[f"{route.method} {route.path}"] = answer.status_code

    assert wrong == {}


def test_what_each_role_may_do_over_the_api() -> None:
    make_roles()
    may = {
        role.name: {
            scope.name
            for scope in SCOPES.values()
            if scope.permission and client.has_perm(scope.permission)
        }
        for role in ROLES
        for client in [client_of(role.name)[0]]
    }

    assert may["viewer"] == {
        *("orders:read", "invoices:read", "catalogue:read", "failed-messages:read"),
        "webhooks:read",
    }
    assert may["operator"] - may["viewer"] == {
        *("orders:cancel", "orders:ship", "stock:write"),
        *("failed-messages:replay", "failed-messages:triage", "webhooks:manage"),
    }
    assert may["lead"] - may["operator"] == {
        *("orders:place", "orders:import", "failed-messages:edit", "failed-messages:discard"),
        "catalogue:write",
    }
    assert may["administrator"] == {each.name for each in SCOPES.values() if each.permission}
