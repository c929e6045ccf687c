"""Each limit that the document tells is the site's, on both sides of it.

Schemathesis goes through the schemas: the shortest and the longest text and one beyond, the least
and the greatest number, each member of an enumeration and none, fields that are missing, wrong or
too many, other types, formats, content types and methods. The administrator sends them, so that no
scope hides what a parser takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import CoverageScenario, coverage_scenario
from schemathesis.generation.modes import GenerationMode
from schemathesis.schemas import BaseSchema

from ordersite.access.scopes import SCOPES
from runtime.requests.operation import JSON
from tests.openapi.callers import Login, bearer
from tests.openapi.comparing import (
    DOCUMENT,
    STREAM,
    Site,
    described,
    differences,
    id_of,
    prepared,
    problem_of,
    sent,
)
from tests.openapi.prepared import PREPARED, shop
from tests.security.conftest import secret

METHODS = ("get", "post", "put", "patch", "delete")
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
#: Of the same limit of the same field, so many are tried: an enumeration has 164 currencies.
EACH = 2


@pytest.mark.usefixtures("clean", "closed_api")
def test_what_the_document_allows_is_taken_and_nothing_beyond(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(BaseSchema, "transport", Site())
    shop()
    # A key is asked for less than a session is.
    shop_of_all = bearer(secret(*SCOPES))

    wrong = [fault for case in cases() for fault in faults(case, shop_of_all)]

    assert not wrong, "\n\n".join([str(len(wrong)), *wrong])


def cases() -> Iterator[Any]:
    """All that Schemathesis finds to try; a path that may be any names what there is."""
    schema = described()
    # What a path takes is told everywhere (OPTIONS).
    schema.config.phases.coverage.unexpected_methods = {*METHODS, "trace"}
    for each in schema.get_all_operations():
        operation = each.ok()
        id_ = operation.definition.raw["operationId"]
        known = PREPARED[id_]() if id_ != STREAM else {}
        tried: Counter[Any] = Counter()
        for case in schema.iter_coverage_cases(
            operation, generation_modes=MODES, generation_config=schema.config.generation
        ):
            about = case.meta.phase.data
            if is_of_a_header(about) or not can_be_sent(case):
                continue
            tried[kind := (about.scenario, about.parameter, about.description)] += 1
            if tried[kind] > EACH:
                continue
            if known and is_free(case):
                case.path_parameters.update(
                    {name: known[name] for name in case.path_parameters if name in known}
                )
            yield case


def is_of_a_header(about: Any) -> bool:
    """Whether a header is to be of another type: each is text."""
    is_type = about.scenario == CoverageScenario.INCORRECT_TYPE
    return is_type and about.parameter_location == ParameterLocation.HEADER


def can_be_sent(case: Any) -> bool:
    """Whether Schemathesis can write the body: of an import it can only write CSV."""
    return case.media_type in (None, JSON, "text/csv")


def is_free(case: Any) -> bool:
    """Whether the path is not what is tried."""
    component = case.meta.components.get(ParameterLocation.PATH)
    return component is not None and component.mode.is_positive


def faults(case: Any, login: Login) -> Iterator[str]:
    if coverage_scenario(case) == CoverageScenario.UNSPECIFIED_HTTP_METHOD:
        return of_another_method(case, login)
    # That each asks for a login is tried elsewhere.
    return differences(case, login, guarded={id_of(case)})


def of_another_method(case: Any, login: Login) -> Iterator[str]:
    """A method that the path does not have is refused, with those that it has."""
    request = prepared(case, login)
    response = sent(request)
    allowed = {method.upper() for method in DOCUMENT["paths"][case.operation.path]}
    told = set("".join(response.headers.get("allow", [])).split(", "))
    if (response.status_code, problem_of(response)) != (405, "method-not-allowed"):
        yield f"{request.method} {request.path_url}: {response.status_code} {response.content!r}"
    elif told - {"HEAD", "OPTIONS"} != allowed:
        yield f"{request.method} {request.path_url}: Allow: {told}, not {allowed}"
