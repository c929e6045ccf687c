"""An answer beside the document: what is otherwise than it describes.

The requests go to the site's ASGI application without a server between.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import requests
import schemathesis
import schemathesis.transport as transport
from schemathesis.core.transport import Response
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ordersite.openapi.document import document
from ordersite.passwords.backend import FewGuesses
from tests.asgi_client import AsgiClient
from tests.openapi.beyond_schemas import is_beyond, with_whole_numbers
from tests.openapi.callers import Login

DOCUMENT = document()
CHECKS = (
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    allow_header_conformance,
)
#: Says 503 where a process is missing, as in these tests.
READINESS = "getReadiness"
#: Of an order that there is, it goes on for a minute.
STREAM = "streamTimeline"


def described() -> BaseSchema:
    """The document, as Schemathesis makes requests of it."""
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    # The caller says who it is.
    schema.config.generation.with_security_parameters = False
    return schema


def id_of(case: Any) -> str:
    id_: str = case.operation.definition.raw["operationId"]
    return id_


def differences(case: Any, login: Login, guarded: set[str]) -> Iterator[str]:
    """What is otherwise than described; adds to `guarded` who is seen to ask for a login."""
    yield from differences_of(case, sent(prepared(case, login)), login, guarded)


def differences_of(case: Any, response: Response, login: Login, guarded: set[str]) -> Iterator[str]:
    """The same of an answer that is there already."""
    request = response.request
    id_ = id_of(case)
    said = f"{request.method} {request.path_url[:200]} {str(request.body)[:200]!r}"
    if response.status_code >= 500 and id_ != READINESS:
        yield f"{response.status_code} {said}: {response.content[:300]!r}"
    if (kind := problem_of(response)) and kind not in kinds_of(case, response.status_code):
        yield f"{kind} is not described for {response.status_code}: {said}"
    checks = list(CHECKS)
    if not is_beyond(id_, kind, response.content):
        checks.append(positive_data_acceptance)
    if response.status_code < 300 and id_ not in guarded:
        guarded.add(id_)
        checks.append(ignored_auth)
    try:
        case.validate_response(response, checks=checks, headers=dict(login))
    except schemathesis.errors.SchemathesisError as error:
        yield f"{said}: {error}"
    except BaseExceptionGroup as several:
        answered = f"{response.status_code} {response.content[:400]!r}"
        yield from (f"{said}: {str(each)[:600]}\n{answered}" for each in several.exceptions)


class Site:
    """Sends what a check sends once more, with another login or without one."""

    def __getattr__(self, name: str) -> Any:
        return getattr(transport.get(None), name)

    def send(self, case: Any, **_: Any) -> Response:
        login = {name.lower(): value for name, value in (case.headers or {}).items()}
        known = {name: login[name] for name in ("authorization", "cookie") if name in login}
        if case.cookies:
            known["cookie"] = "; ".join(f"{name}={text}" for name, text in case.cookies.items())
        # A wrong password takes long, and many of them in a row are refused for that.
        with patch.object(FewGuesses, "authenticate", return_value=None):
            return sent(prepared(case, known))


def prepared(case: Any, login: Login) -> requests.PreparedRequest:
    """The request as it travels."""
    arguments = case.as_transport_kwargs(base_url="http://localhost")
    # The caller says who it is, and no header that was made at random.
    headers = {
        name: value
        for name, value in arguments.pop("headers", {}).items()
        if name.lower() not in ("authorization", "cookie", "host")
    }
    arguments.pop("cookies", None)
    if case.meta.generation.mode.is_positive and "json" in arguments:
        arguments["json"] = with_whole_numbers(arguments["json"])
    return requests.Request(**arguments, headers={**headers, **login}).prepare()


def sent(request: requests.PreparedRequest) -> Response:
    body = request.body or b""
    headers = {
        name: value if isinstance(value, str) else value.decode("latin1")
        for name, value in request.headers.items()
        if name.lower() not in ("content-length", "content-type")
    }
    answer = AsgiClient().request(
        request.method, request.path_url, body, request.headers.get("Content-Type"), headers
    )
    named = {name.lower(): [value] for name, value in answer.items()}
    return Response(answer.status_code, named, answer.content, request, 0.0, False)


def problem_of(response: Response) -> str:
    """The kind of problem that it is; empty for another answer."""
    if response.headers.get("content-type") != ["application/problem+json"]:
        return ""
    return json.loads(response.content)["type"].rpartition("/")[2]


def kinds_of(case: Any, status: int) -> set[str]:
    """The kinds that the document has for this status of the operation."""
    described = case.operation.definition.raw["responses"].get(str(status), {})
    if "$ref" in described:
        described = DOCUMENT["components"]["responses"][described["$ref"].rpartition("/")[2]]
    content = described.get("content", {}).get("application/problem+json", {})
    return set(content.get("examples", {}))
