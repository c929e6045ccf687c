"""The OpenAPI document is valid, complete, and what the code says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import yaml
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

from failed_messages.api.parameters import MessageFilters
from failed_messages.reading.filters import FIELDS
from messaging.service import events
from ordersite.access.problem_types import KEY_MADE_BEFORE
from ordersite.openapi.document import SECURITY_SCHEMES, document
from ordersite.openapi.problem_table import problem_types
from ordersite.openapi.routes import Route, addresses, routes
from ordersite.openapi.schemas import schemas_of
from runtime.requests import idempotency_key
from runtime.requests.operation import Answer
from tests.security.routes import SCOPES, declared
from webhooks.managing import TEST

DOCUMENT = document()
ROUTES = routes()
#: Pages that lead elsewhere, and what is answered where there is nothing.
NOT_OF_THE_API = {"", "admin", "<path:address>"}


def named(route: Route) -> str:
    return f"{route.method} {route.address.path}"


def test_the_document_is_valid() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_every_method_of_every_address_is_described() -> None:
    missing = [
        f"{method} /{each.pattern}: add an Operation to the view's `operations`"
        for each in addresses()
        if each.pattern not in NOT_OF_THE_API
        for method in each.methods or ["?"]
        if method not in each.operations
    ]

    assert missing == []


def test_nothing_is_described_that_there_is_not() -> None:
    described = {(path, method) for path, found in DOCUMENT["paths"].items() for method in found}
    there = {(each.address.path, each.method.lower()) for each in ROUTES}
    said = {
        (each.path, method.lower())
        for each in addresses()
        for method in each.operations
        if method in each.methods
    }

    assert described == there == said
    assert {route for route, _ in declared()} - NOT_OF_THE_API == {
        each.address.pattern for each in ROUTES
    }


def test_every_scope_is_the_one_of_the_table() -> None:
    for route in ROUTES:
        scope = SCOPES.get(route.address.pattern, {}).get(route.method)
        shown = DOCUMENT["paths"][route.address.path][route.method.lower()]["security"]
        assert shown == ([{name: [scope]} for name in SECURITY_SCHEMES] if scope else []), route


def test_each_operation_has_a_name_of_its_own() -> None:
    ids = [each.operation.id for each in ROUTES]

    assert len(set(ids)) == len(ids) > 40


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_what_takes_an_idempotency_key_says_how_a_repeat_is_known(route: Route) -> None:
    said = route.operation
    if idempotency_key.HEADER not in {each.name for each in said.headers}:
        return
    if KEY_MADE_BEFORE in said.problems:
        return
    for status, answer in said.answers.items():
        assert status >= 300 or idempotency_key.REPLAYED_FIELD in answer.headers, status


def test_every_kind_of_problem_is_an_answer_of_some_route() -> None:
    told = json.dumps(DOCUMENT["paths"]) + json.dumps(DOCUMENT["components"]["responses"])
    # The method is wrong for the whole path, so it is nobody's answer.
    missing = [
        name
        for name in problem_types()
        if f"#/components/examples/{name}" not in told and name != "method-not-allowed"
    ]

    assert missing == []


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_the_example_of_a_body_is_taken(route: Route) -> None:
    said = route.operation
    if said.body and said.example is not None:
        said.body.decode(msgspec.json.encode(said.example))
    assert said.example is None or said.body


def answers() -> Iterator[Any]:
    for route in ROUTES:
        for status, answer in route.operation.answers.items():
            if answer.types:
                yield pytest.param(answer, id=f"{named(route)} {status}")


@pytest.mark.parametrize("answer", list(answers()))
def test_the_example_of_an_answer_has_all_of_its_fields_and_no_others(answer: Answer) -> None:
    # Of several types the example is one's.
    is_one = any(is_of(each, answer.example) for each in answer.types)
    assert is_one, f"{answer.example} has not the fields of {answer.types}"


def is_of(type_: Any, example: Any) -> bool:
    try:
        read = msgspec.convert(example, type_)
    except msgspec.ValidationError:
        return False
    return msgspec.to_builtins(read) == example


def test_the_desks_parameters_are_those_that_are_read() -> None:
    assert set(MessageFilters.__struct_encode_fields__) == {*FIELDS, "limit", "cursor"}


@pytest.fixture
def client() -> Client:
    return Client(headers={"host": "localhost"}, raise_request_exception=False)


def test_the_site_serves_the_document_and_says_whether_it_is_the_same(client: Client) -> None:
    answer = client.get("/openapi.json")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == json.loads(json.dumps(DOCUMENT))
    again = client.get("/openapi.json", headers={"if-none-match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_site_serves_the_events_document_beside_it(client: Client) -> None:
    answer = client.get("/asyncapi.yaml")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/yaml")
    assert yaml.safe_load(answer.content)["asyncapi"] == "3.0.0"


def test_what_is_sent_to_webhooks_is_the_events_own_body() -> None:
    """With its type and time; every type of event that there is."""
    sent = DOCUMENT["webhooks"]

    assert sent.keys() == {*events(), TEST}
    for type_, each in sent.items():
        if type_ == TEST:
            continue
        schema = each["post"]["requestBody"]["content"]["application/json"]["schema"]
        added, body = schema["allOf"]
        assert added["required"] == ["type", "timestamp"]
        component = DOCUMENT["components"]["schemas"][body["$ref"].rpartition("/")[2]]
        assert set(component["properties"]) == set(
            msgspec.json.schema(events()[type_].body)["$defs"][events()[type_].body.__name__][
                "properties"
            ]
        )


def test_a_description_is_the_same_with_every_python() -> None:
    """From 3.13 on a docstring has lost the indentation, which Markdown takes for code."""

    class Described(msgspec.Struct):
        name: str

    Described.__doc__ = "The first.\n\n    The second.\n    "

    _, named = schemas_of([Described])

    assert named["Described"]["description"] == "The first.\n\nThe second."


def test_each_link_leads_to_a_path_with_what_the_example_says_there() -> None:
    links = [
        (link, answer)
        for route in ROUTES
        for answer in route.operation.answers.values()
        for link in answer.links
    ]
    paths = {each.operation.id: each.address.path for each in ROUTES}

    assert len(links) > 10
    for link, answer in links:
        said: Any = answer.example
        for step in link.pointer.strip("/").split("/"):
            said = said[int(step) if isinstance(said, list) else step]
        assert said
        assert all(f"{{{link.parameter}}}" in paths[id_] for id_ in link.operations)
