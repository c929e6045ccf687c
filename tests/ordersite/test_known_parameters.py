"""A parameter that an operation does not have is refused by name, on every route. In memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from rest_framework.test import APIRequestFactory, force_authenticate

from ordersite.access.scopes import SCOPES
from ordersite.openapi.document import document
from ordersite.openapi.routes import Route, routes
from runtime.requests.caller import Caller

CALLER = Caller("a test", "a test", frozenset(SCOPES))


@pytest.fixture(autouse=True)
def webhooks_on(settings: Any) -> None:
    settings.WEBHOOKS = True


def asked() -> Iterator[tuple[str, Route]]:
    """Each method of each route that needs a scope, HEAD beside GET."""
    for route in routes():
        if route.scope:
            yield route.method, route
            if route.method == "GET":
                yield "HEAD", route


def answer(method: str, route: Route, query: str) -> Any:
    request = APIRequestFactory().generic(method, f"{route.address.path}?{query}")
    force_authenticate(request, token=CALLER)
    # As an id of ours has them.
    parts = dict.fromkeys(route.address.parts, "0" * 24)
    return route.address.callback(request, **parts)


@pytest.mark.parametrize(
    ("method", "route"),
    [pytest.param(*each, id=f"{each[0]} {each[1].address.path}") for each in asked()],
)
def test_an_unknown_parameter_is_refused_by_name(method: str, route: Route) -> None:
    for query in ("colour=red", "=", "%24where=1", "Limit=1", "x=1&x=1"):
        response = answer(method, route, query)

        assert response.status_code == 400
        [told] = json.loads(response.content)["errors"]
        assert told["field"] == (unquote(query.partition("=")[0]) or '""')
        assert "pointer" not in told


@pytest.mark.parametrize(
    ("query", "fix"),
    [
        ("userid=1", "Remove it. Perhaps userId is meant. The parameters are userId, status, "),
        ("created_from=1", "Remove it. Perhaps createdFrom is meant. The parameters are userId, "),
        ("colour=red", "Remove it. The parameters are userId, status, createdFrom, createdTo, "),
    ],
)
def test_the_fix_names_what_may_be_meant(query: str, fix: str) -> None:
    [told] = json.loads(answer("GET", route_of("listOrders"), query).content)["errors"]

    assert told["detail"] == "must not be given: it is not a known parameter"
    assert told["fix"].startswith(fix)


def test_where_there_are_none_that_is_told() -> None:
    [told] = json.loads(answer("GET", route_of("getOrder"), "expand=items").content)["errors"]

    assert told["fix"] == "Remove it. This address has no parameters."


def test_all_that_is_wrong_is_told_at_once() -> None:
    response = answer("GET", route_of("listFailedMessages"), "colour=red&limit=0&service=shipping")

    told = json.loads(response.content)["errors"]
    assert [each["field"] for each in told] == ["colour", "service", "limit"]
    assert "Send one of orders, inventory, billing" in told[1]["fix"]


def test_all_that_is_there_twice_is_told_at_once() -> None:
    query = "limit=1&status=failed&limit=2&status=failed&limit=3"
    response = answer("GET", route_of("listFailedMessages"), query)

    assert [each["field"] for each in json.loads(response.content)["errors"]] == ["limit", "status"]


def test_every_operation_that_needs_a_scope_describes_the_refusal() -> None:
    described = document()
    for route in (each for each in routes() if each.scope):
        operation = described["paths"][route.address.path][route.method.lower()]
        refused = operation["responses"]["400"]
        if "$ref" in refused:
            refused = described["components"]["responses"][refused["$ref"].rpartition("/")[2]]
        examples = refused["content"]["application/problem+json"]["examples"]
        assert "invalid-request" in examples, operation["operationId"]


def route_of(id_: str) -> Route:
    [route] = [each for each in routes() if each.operation.id == id_]
    return route
