"""Whatever the document allows, and what it does not, gets an answer that it describes.

Schemathesis makes the requests out of the document, right and wrong ones, and compares the answers
with it; they go to the site's ASGI application without a server between. To try others: --seed,
and for more of them FUZZED_REQUESTS.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
import requests
import schemathesis
import schemathesis.transport as transport
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.core.transport import Response
from schemathesis.generation.modes import GenerationMode
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
from tests.openapi.callers import CALLERS, Login, callers
from tests.openapi.prepared import PREPARED, shop

#: To each operation, right ones and as many wrong ones, each from every caller.
REQUESTS = int(os.environ.get("FUZZED_REQUESTS", 1))

DOCUMENT = document()
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
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


@pytest.mark.usefixtures("clean", "closed_api")
def test_every_answer_to_every_caller_is_one_that_is_described(
    chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BaseSchema, "transport", Site())
    shop()
    known = callers()
    guarded: set[str] = set()

    wrong = [
        f"{caller}: {fault}"
        for case in cases(chance)
        for caller in callers_of(case)
        for fault in differences(case, known[caller], guarded)
    ]

    assert not wrong, "\n\n".join([str(len(wrong)), *wrong])


def cases(chance: random.Random) -> Iterator[Any]:
    """Requests to each operation, right and wrong ones; half of the paths name what there is."""
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    # The caller says who it is.
    schema.config.generation.with_security_parameters = False
    for each in schema.get_all_operations():
        operation = each.ok()
        id_ = operation.definition.raw["operationId"]
        for mode in MODES if can_be_wrong(operation.definition.raw) else MODES[:1]:
            path = PREPARED[id_]() if chance.random() < 0.5 and id_ != STREAM else None
            yield from chosen(operation.as_strategy(mode, path_parameters=path), chance)


def callers_of(case: Any) -> tuple[str, ...]:
    """Who asks; what is for everybody is answered to all alike."""
    return CALLERS if case.operation.definition.raw["security"] else CALLERS[:1]


def can_be_wrong(operation: dict[str, Any]) -> bool:
    """Whether there is more to it than texts, of which none is wrong."""
    return "requestBody" in operation or any(
        each["in"] == "query" for each in operation.get("parameters", ())
    )


def chosen(strategy: Any, chance: random.Random) -> list[Any]:
    found: list[Any] = []

    @seed(chance.randrange(2**32))
    @settings(
        # The first one is always the shortest that there is.
        max_examples=REQUESTS + 1,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def choose(case: Any) -> None:
        found.append(case)

    choose()
    return found[1:] or found


def differences(case: Any, login: Login, guarded: set[str]) -> Iterator[str]:
    """What is otherwise than described; adds to `guarded` who is seen to ask for a login."""
    request = prepared(case, login)
    response = sent(request)
    id_ = case.operation.definition.raw["operationId"]
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
