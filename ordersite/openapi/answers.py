"""What an operation is answered with: what it says itself, and the problems of any like it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from ordersite.openapi.routes import Route
from ordersite.openapi.schemas import Schemas
from runtime.requests.operation import JSON, Answer, Header
from runtime.requests.problem_type import ProblemDetails, ProblemType
from runtime.requests.problem_types import (
    ADDRESS_TOO_LONG,
    BODY_TOO_LARGE,
    DATABASE_UNAVAILABLE,
    FORBIDDEN,
    HEADERS_TOO_LARGE,
    INTERNAL_ERROR,
    INVALID_REQUEST,
    ISSUER_UNAVAILABLE,
    LENGTH_REQUIRED,
    MALFORMED_REQUEST,
    MISSING_SCOPE,
    NOT_FOUND,
    REQUEST_TIMEOUT,
    SITE_UNAVAILABLE,
    TOO_BUSY,
    TOO_MANY_PASSWORDS,
    TOO_MANY_REQUESTS,
    UNAUTHENTICATED,
    UNSUPPORTED_MEDIA_TYPE,
)

PROBLEM = "application/problem+json"

#: Whatever is asked, the server, the site or its proxy may answer so. A body that nobody asked for
#: is refused like one that somebody did.
OF_ALL = (
    *(MALFORMED_REQUEST, REQUEST_TIMEOUT, ADDRESS_TOO_LONG, HEADERS_TOO_LARGE),
    *(LENGTH_REQUIRED, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, TOO_MANY_REQUESTS),
    *(INTERNAL_ERROR, TOO_BUSY, DATABASE_UNAVAILABLE, SITE_UNAVAILABLE),
)
OF_SCOPED = (
    *(UNAUTHENTICATED, MISSING_SCOPE, FORBIDDEN),
    *(TOO_MANY_PASSWORDS, ISSUER_UNAVAILABLE),
)

#: What generators of clients take for a file.
FILE = {"schema": {"type": "string", "format": "binary"}}

#: Headers that no operation has for itself.
HEADERS = {
    "X-Request-Id": Header(
        "X-Request-Id",
        "What the site's logs call the request: what the client called it, or a new name.",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    ),
    "RateLimit-Policy": Header(
        "RateLimit-Policy",
        "How many requests (q) the client, or its address, may send in how many seconds (w).",
        '"client";q=5000;w=10',
    ),
    "RateLimit": Header(
        "RateLimit",
        "How many requests are left (r), and in how many seconds it will be all of them (t).",
        '"client";r=4999;t=1',
    ),
    "Retry-After": Header("Retry-After", "Seconds to wait before the next try.", "5"),
    "WWW-Authenticate": Header(
        "WWW-Authenticate",
        "How to authenticate, and what was wrong with the key (RFC 6750).",
        'Bearer realm="ordersite", scope="orders:read"',
    ),
}
OF_EVERY_ANSWER = ("X-Request-Id", "RateLimit-Policy", "RateLimit")
OF_STATUS = {
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def responses_of(route: Route, schemas: Schemas, shared: dict[str, Any]) -> dict[str, Any]:
    """The responses by status; adds to `shared` those that are nothing but problems."""
    by_status = defaultdict(list)
    for kind in dict.fromkeys(problems_of(route)):
        by_status[kind.status].append(kind)
    found: dict[str, Any] = {}
    for status in sorted({*by_status, *route.operation.answers}):
        kinds = by_status.get(status, [])
        if answer := route.operation.answers.get(status):
            found[str(status)] = response(answer, kinds, status, schemas)
        else:
            name = ".".join([str(status), *(kind.name for kind in kinds)])
            shared[name] = response(None, kinds, status, schemas)
            found[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return found


def problems_of(route: Route) -> Iterator[ProblemType]:
    said = route.operation
    yield from OF_ALL
    yield from OF_SCOPED if route.scope else ()
    # What the API is for refuses parameters that it does not have.
    if route.scope or said.query or said.headers or said.body or said.files:
        yield INVALID_REQUEST
    if said.path:
        yield NOT_FOUND
    yield from said.problems


def response(
    answer: Answer | None, kinds: list[ProblemType], status: int, schemas: Schemas
) -> dict[str, Any]:
    """One status: the answer that is not a problem, if there is one, and the problems."""
    texts = [answer.description] if answer else []
    content = content_of(answer, schemas) if answer else {}
    if kinds:
        texts += [f"{kind.title}." for kind in kinds]
        content[PROBLEM] = {
            "schema": schemas.of(ProblemDetails),
            "examples": {
                kind.name: {"$ref": f"#/components/examples/{kind.name}"} for kind in kinds
            },
        }
    return {
        "description": " ".join(texts),
        "headers": headers_of(answer, status if kinds else 0),
        **({"content": content} if content else {}),
        **({"links": links_of(answer)} if answer and answer.links else {}),
    }


def links_of(answer: Answer) -> dict[str, Any]:
    """Each operation that the answer leads to, by its id."""
    return {
        id_: {
            "operationId": id_,
            "parameters": {each.parameter: f"$response.body#{each.pointer}"},
        }
        for each in answer.links
        for id_ in each.operations
    }


def content_of(answer: Answer, schemas: Schemas) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if found := [schemas.of(each) for each in answer.types]:
        schema = found[0] if len(found) == 1 else {"anyOf": found}
        content[JSON] = {"schema": schema, "example": answer.example}
    for media_type, example in answer.other.items():
        kind = "string" if isinstance(example, str) else "object"
        text = {"schema": {"type": kind}, "example": example}
        content[media_type] = FILE if isinstance(example, bytes) else text
    return content


def headers_of(answer: Answer | None, status: int) -> dict[str, Any]:
    named = [*OF_EVERY_ANSWER, *OF_STATUS.get(status, ())]
    found: dict[str, Any] = {name: {"$ref": f"#/components/headers/{name}"} for name in named}
    for each in answer.headers if answer else ():
        found[each.name] = {
            "description": each.description,
            "schema": {"type": "string"},
            "example": each.example,
        }
    return found
