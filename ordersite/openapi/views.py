"""`/openapi.json` and `/asyncapi.yaml`: what the API and the events are, for everybody."""

from __future__ import annotations

from functools import cache

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from ordersite.openapi import document, operations
from ordersite.pipeline import asyncapi
from runtime.requests import entity_tag
from runtime.requests.operation import JSON, described

YAML = "application/yaml"


@described(GET=operations.OPENAPI)
@csrf_exempt
@require_safe
def openapi_json(request: HttpRequest) -> HttpResponse:
    return shown(request, openapi_text(), JSON)


@described(GET=operations.ASYNCAPI)
@csrf_exempt
@require_safe
def asyncapi_yaml(request: HttpRequest) -> HttpResponse:
    return shown(request, asyncapi_text(), YAML)


def shown(request: HttpRequest, text: bytes, media_type: str) -> HttpResponse:
    """The document, or that it is still the same, where the client has it."""
    headers = {"ETag": entity_tag.tag_of(text), "Cache-Control": "no-cache"}
    asked = request.headers.get(entity_tag.IF_NONE_MATCH, "")
    if entity_tag.is_named(asked, headers["ETag"]):
        return HttpResponseNotModified(headers=headers)
    return HttpResponse(text, content_type=media_type, headers=headers)


@cache
def openapi_text() -> bytes:
    return document.text().encode()


@cache
def asyncapi_text() -> bytes:
    return asyncapi.text().encode()
