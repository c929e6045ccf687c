"""Each operation's example gets the answer that the document describes, to the last field."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from django.http import HttpResponse

from ordersite.access.scopes import SCOPES
from ordersite.openapi.document import media_types
from ordersite.openapi.routes import Route, routes
from runtime.requests.operation import JSON, Answer
from tests.asgi_client import AsgiClient
from tests.openapi.prepared import PREPARED, shop
from tests.security.conftest import secret

#: Headers of an answer that it has sometimes.
NOW_AND_THEN = {"Idempotent-Replayed", "ETag"}
#: What a path names that is another one in capitals.
NO_IDS = {"sku", "what", "name"}
#: It ends after a minute.
STREAM = "streamTimeline"


def test_each_operation_has_what_its_example_needs() -> None:
    assert {each.operation.id for each in routes()} == PREPARED.keys()


@pytest.mark.usefixtures("clean", "closed_api")
def test_each_example_is_answered_as_it_is_described() -> None:
    shop()
    login = {"authorization": f"Bearer {secret(*SCOPES)}"}

    wrong = [
        f"{each.operation.id}: {fault}"
        for each in routes()
        if each.operation.id != STREAM
        for fault in faults(each, login)
    ]

    assert not wrong, "\n".join(wrong)


@pytest.mark.usefixtures("clean", "closed_api")
def test_ids_are_the_same_in_capitals() -> None:
    shop()
    login = {"authorization": f"Bearer {secret(*SCOPES)}"}

    wrong = [
        f"{each.operation.id}: {fault}"
        for each in routes()
        if each.operation.id != STREAM and named_in(each) - NO_IDS
        for fault in faults(each, login, str.upper)
    ]

    assert not wrong, "\n".join(wrong)


def named_in(route: Route) -> set[str]:
    """What the route's path has names for."""
    return set(re.findall(r"{(\w+)}", route.address.path))


def faults(
    route: Route, login: dict[str, str], spelled: Callable[[str], str] = str
) -> Iterator[str]:
    """What is otherwise than described, for each type that the body may be of.

    `spelled` is how ids are written in the path.
    """
    for body, content_type in bodies(route):
        response = send(route, body, content_type, login, spelled)
        answer = route.operation.answers.get(response.status_code)
        # What is missing among the tests' processes is not their fault.
        if answer is None or (response.status_code > 300 and route.tag != "site"):
            yield f"{response.status_code} {response.content[:300]!r}"
        else:
            yield from differences(answer, response)


def send(
    route: Route,
    body: bytes,
    content_type: str | None,
    login: dict[str, str],
    spelled: Callable[[str], str],
) -> Any:
    prepared = PREPARED[route.operation.id]()
    named = {name: value if name in NO_IDS else spelled(value) for name, value in prepared.items()}
    path = re.sub(r"{(\w+)}", lambda match: quote(named[match[1]]), route.address.path)
    return AsgiClient().request(route.method, path, body, content_type, login)


def bodies(route: Route) -> Iterator[tuple[bytes, str | None]]:
    said = route.operation
    if said.files:
        yield from ((said.files[each].encode(), each) for each in media_types(route))
    elif said.example is not None:
        yield json.dumps(said.example).encode(), JSON
    else:
        yield b"", None


def differences(answer: Answer, response: HttpResponse) -> Iterator[str]:
    media_type = response.get("Content-Type", "").partition(";")[0]
    if media_type not in {*answer.other, *([JSON] if answer.types else [])}:
        yield f"the media type {media_type} is not described"
    if answer.types and media_type == JSON:
        body = json.loads(response.content)
        if not any(is_of(each, body) for each in answer.types):
            yield f"{body} is none of {answer.types}"
    for header in answer.headers:
        if header.name not in NOW_AND_THEN and header.name not in response:
            yield f"the header {header.name} is missing"


def is_of(type_: Any, body: Any) -> bool:
    """Whether the body has the type's fields, each of its type, and no others."""
    try:
        read = msgspec.to_builtins(msgspec.convert(body, type_))
    except msgspec.ValidationError:
        return False
    return shape(read) == shape(body)


def shape(value: Any) -> Any:
    """The names in it; times are written in several ways."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else type(value)
