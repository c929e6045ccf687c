"""OWASP API5:2023: every route has a scope, and nobody without it gets through."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client, override_settings

from ordersite.access.authentication import ANYONE, caller_of_user
from ordersite.access.keys import InvalidKey
from ordersite.access.models import ApiKey
from ordersite.access.permission import HasScope
from ordersite.access.scopes import CUSTOMERS, SCOPES
from ordersite.keyed_requests.once import OncePerKey
from ordersite.web.known_parameters import KnownParameters
from tests.security.conftest import WithKey, client_of, known, secret
from tests.security.routes import METHODS, OPEN, Route, declared, routes
from tests.security.routes import SCOPES as WANTED


def test_every_route_needs_the_scope_that_the_table_says() -> None:
    found: dict[str, dict[str, str]] = {}
    for route, pattern in declared():
        if route in OPEN:
            continue
        view = pattern.callback.cls(**pattern.callback.initkwargs)
        methods = [each for each in view.allowed_methods if each in METHODS]
        found.setdefault(route, {}).update({each: view.scopes[each] for each in methods})
        asked = [type(each) for each in view.get_permissions()]
        assert asked == [HasScope, KnownParameters, OncePerKey], route
        assert view.get_authenticators(), route

    assert found == WANTED
    assert {scope for each in WANTED.values() for scope in each.values()} <= SCOPES.keys()


def test_a_view_without_a_scope_is_for_nobody() -> None:
    class Request:
        method, auth, user = "GET", ANYONE, None

    class View:
        allowed_methods = ["GET"]

    assert not HasScope().has_permission(Request(), View())


def send(client: Client, route: Route) -> HttpResponse:
    body = {} if route.method == "GET" else {"data": "{}", "content_type": "application/json"}
    return client.generic(route.method, route.path, **body)


@pytest.mark.usefixtures("closed_api")
def test_nobody_gets_anything_without_a_key() -> None:
    client = Client(raise_request_exception=False, headers={"host": "localhost"})
    for route in routes():
        answer = send(client, route)
        assert answer.status_code == 401, route
        assert answer["Content-Type"] == "application/problem+json"
        assert f'scope="{route.scope}"' in answer["WWW-Authenticate"]


@pytest.mark.usefixtures("clean", "closed_api")
def test_a_key_with_every_other_scope_gets_nothing() -> None:
    for scope in SCOPES:
        client = known(*(each for each in SCOPES if each != scope))
        for route in (each for each in routes() if each.scope == scope):
            answer = send(client, route)
            assert answer.status_code == 403, route
            assert 'error="insufficient_scope"' in answer["WWW-Authenticate"]
            assert f'scope="{scope}"' in answer["WWW-Authenticate"]
            assert scope in answer.json()["detail"]


def test_a_key_with_the_scope_gets_through(with_key: WithKey) -> None:
    for scope in SCOPES:
        client = with_key(scope)
        for route in (each for each in routes() if each.scope == scope):
            assert send(client, route).status_code not in (401, 403), route


def test_a_customers_key_never_does_what_the_staff_does(with_key: WithKey) -> None:
    for scope in SCOPES.keys() - CUSTOMERS:
        with pytest.raises(InvalidKey):
            with_key(scope, user_id=101)
    # Whatever is written into its record.
    key = secret("orders:read", user_id=101)
    ApiKey.objects.update(scopes=list(SCOPES))
    for route in (each for each in routes() if each.scope not in CUSTOMERS):
        assert send(client_of(key), route).status_code == 403, route


def one_of_each_scope() -> list[Route]:
    return list({route.scope: route for route in routes()}.values())


class Member:
    """Of the staff, with one permission."""

    pk, is_active, is_staff = 1, True, True

    def __init__(self, permission: str) -> None:
        self._permission = permission

    def get_username(self) -> str:
        return "member"

    def has_perm(self, name: str) -> bool:
        return name == self._permission


@pytest.mark.parametrize("permission", sorted({scope.permission for scope in SCOPES.values()}))
def test_each_permission_gives_its_scopes_and_no_other(permission: str) -> None:
    with override_settings(API_IS_OPEN=False):
        found = caller_of_user(Member(permission)).scopes

    wanted = {name for name, scope in SCOPES.items() if scope.permission in ("", permission)}
    assert found == wanted


@pytest.mark.usefixtures("closed")
def test_a_login_does_what_its_permissions_say() -> None:
    client = logged_in("failed_messages.view_failedmessage", is_staff=True)
    for route in one_of_each_scope():
        if route.scope.startswith("failed-messages:"):
            refused = send(client, route).status_code in (401, 403)
            assert refused is (route.scope != "failed-messages:read"), route


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("who", [{"is_staff": False}, {"is_staff": True, "is_active": False}])
def test_who_is_not_of_the_staff_does_nothing_whatever_the_permissions(who: Any) -> None:
    client = logged_in(*sorted({scope.permission for scope in SCOPES.values()} - {""}), **who)
    for route in one_of_each_scope():
        assert send(client, route).status_code in (401, 403), route


def logged_in(*permissions: str, is_staff: bool, is_active: bool = True) -> Client:
    user = User.objects.create_user(f"with {permissions}"[:150], is_staff=is_staff)
    for app, _, name in (each.partition(".") for each in permissions if each):
        found = Permission.objects.get(content_type__app_label=app, codename=name)
        user.user_permissions.add(found)
    client = Client(raise_request_exception=False, SERVER_NAME="localhost")
    client.force_login(user)
    User.objects.filter(pk=user.pk).update(is_active=is_active)
    return client


@pytest.mark.usefixtures("closed")
def test_whoever_asks_for_readiness_is_told_the_details_with_the_scope_alone(
    with_key: WithKey,
) -> None:
    told: Any = with_key("pipeline:read").get("/health/ready").json()
    others = [Client(headers={"host": "localhost"}), with_key("orders:read")]

    assert told["checks"]
    for each in others:
        assert set(each.get("/health/ready").json()) == {"status"}
        assert each.get("/health/live").json() == {"status": "live"}
