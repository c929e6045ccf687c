"""The OpenAPI document of the whole HTTP API.

https://spec.openapis.org/oas/v3.1.1
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from ordersite.access.scopes import SCOPES
from ordersite.openapi import answers, webhooks
from ordersite.openapi.problem_table import problem_types
from ordersite.openapi.routes import Route, camel, routes
from ordersite.openapi.schemas import Schema, Schemas, fields_of
from runtime.requests.caller import REALM
from runtime.requests.operation import JSON, Header
from runtime.requests.problem_type import ProblemDetails

DESCRIPTION = f"""Places orders and shows what becomes of them.

Send a key with each request, `Authorization: Bearer …`; every operation names the scope that the \
key needs. Amounts are text, times are RFC 3339 in UTC. A wrong request is answered with a problem \
(RFC 9457): its `type` leads to a page about it, and `errors` names each field, what it must be, \
and the fix. A request may bring a name for the logs, `X-Request-Id`. HEAD works wherever GET \
does, and OPTIONS everywhere. The [events](asyncapi.yaml) have a document of their own.

The scopes:

{chr(10).join(f"- `{scope.name}`: {scope.allows}" for scope in SCOPES.values())}
"""

NO_NUL = r"^[^\x00]*$"

#: By any of these a client may be known.
SECURITY_SCHEMES = {
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key of this site, `ordersite_<id>_<secret>`.",
    },
    "accessToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token (RFC 9068) of the issuer that the site trusts.",
    },
    "staffLogin": {
        "type": "http",
        "scheme": "basic",
        "description": f"Name and password of a member of the staff; the realm is {REALM}.",
    },
    "staffSession": {
        "type": "apiKey",
        "in": "cookie",
        "name": settings.SESSION_COOKIE_NAME,
        "description": "Who is logged in to the admin; what changes something needs its CSRF "
        "token in `X-CSRFToken`.",
    },
}


def document() -> dict[str, Any]:
    """The OpenAPI document of every route that is described."""
    found = routes()
    schemas = Schemas([ProblemDetails, *types_of(found)])
    paths: dict[str, Any] = {}
    responses: dict[str, Any] = {}
    for each in found:
        shown = operation(each, schemas, responses)
        paths.setdefault(each.address.path, {})[each.method.lower()] = shown
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "ordersite",
            "version": settings.RELEASE,
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": settings.FORCE_SCRIPT_NAME or "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(each.tag for each in found)],
        "paths": paths,
        "webhooks": webhooks.webhooks(),
        "components": {
            "schemas": {**schemas.components, **webhooks.schemas()},
            "responses": dict(sorted(responses.items())),
            "headers": {name: header(each) for name, each in answers.HEADERS.items()},
            "examples": {
                name: {"summary": kind.title, "value": kind.example()}
                for name, kind in problem_types().items()
            },
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def text() -> str:
    """The same in JSON, for people to compare and programs to read."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def types_of(found: list[Route]) -> Iterator[Any]:
    """Every type that has a schema, but those of parameters in the address."""
    for each in found:
        yield from each.operation.path.values()
        if each.operation.body:
            yield each.operation.body.type_
        for answer in each.operation.answers.values():
            yield from answer.types


def operation(route: Route, schemas: Schemas, responses: dict[str, Any]) -> dict[str, Any]:
    """One method of one path; adds to `responses` what it shares with others."""
    said = route.operation
    body = body_of(route, schemas)
    parameters = list(parameters_of(route, schemas))
    scope = route.scope
    texts = [said.description, f"Scope: `{scope}`." if scope else "Needs no key."]
    return {
        "operationId": said.id,
        "tags": [route.tag],
        "summary": said.summary,
        "description": "\n\n".join(text for text in texts if text),
        "security": [{name: [scope]} for name in SECURITY_SCHEMES] if scope else [],
        **({"parameters": parameters} if parameters else {}),
        **({"requestBody": body} if body else {}),
        "responses": answers.responses_of(route, schemas, responses),
    }


def parameters_of(route: Route, schemas: Schemas) -> Iterator[dict[str, Any]]:
    said = route.operation
    for part in route.address.parts:
        yield parameter("path", camel(part), schemas.of(said.path[part]), is_required=True)
    if said.query:
        for name, (schema, is_required) in fields_of(said.query).items():
            yield parameter("query", name, without_nul(schema), is_required)
    for each in said.headers:
        yield {"in": "header", "name": each.name, **header(each)}


def without_nul(schema: Schema) -> Schema:
    """The schema of a text that `query_string.parameters` lets through."""
    is_any = schema.get("type") == "string" and "pattern" not in schema
    return {**schema, "pattern": NO_NUL} if is_any else schema


def parameter(where: str, name: str, schema: Schema, is_required: bool) -> dict[str, Any]:
    schema = dict(schema)
    description = schema.pop("description", "")
    return {
        "in": where,
        "name": name,
        **({"description": description} if description else {}),
        **({"required": True} if is_required else {}),
        "schema": schema,
    }


def header(each: Header) -> dict[str, Any]:
    return {
        "description": each.description,
        "schema": {"type": "string", **each.bounds},
        "example": each.example,
    }


def body_of(route: Route, schemas: Schemas) -> dict[str, Any]:
    said = route.operation
    if said.body:
        content: dict[str, Any] = {"schema": schemas.of(said.body.type_)}
        if said.example is not None:
            content["example"] = said.example
        return {"required": not said.body.is_optional, "content": {JSON: content}}
    if said.files:
        return {
            "required": True,
            "content": {
                media_type: {"schema": {"type": "string"}, "example": said.files[media_type]}
                for media_type in media_types(route)
            },
        }
    return {}


def media_types(route: Route) -> list[str]:
    """Those that the view's parsers take."""
    return [parser.media_type for parser in route.address.view.parser_classes]
