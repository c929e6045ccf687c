"""What the API and the events are, for everybody: the documents, and pages that show them."""

from __future__ import annotations

import json
from functools import cache

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render

from messaging.service import events
from ordersite.openapi import document, operations
from ordersite.pipeline import asyncapi
from ordersite.web.read_only import read_only
from runtime.requests import entity_tag
from runtime.requests.operation import JSON, described

YAML = "application/yaml"


@described(GET=operations.OPENAPI)
@read_only
def openapi_json(request: HttpRequest) -> HttpResponse:
    return shown(request, openapi_text(), JSON)


@described(GET=operations.ASYNCAPI)
@read_only
def asyncapi_yaml(request: HttpRequest) -> HttpResponse:
    return shown(request, asyncapi_text(), YAML)


@described(GET=operations.DOCS)
@read_only
def docs(request: HttpRequest) -> HttpResponse:
    return render(request, "ordersite/api_docs.html")


@described(GET=operations.EVENT_DOCS)
@read_only
def event_docs(request: HttpRequest) -> HttpResponse:
    whole = asyncapi.document()
    messages = [
        (
            whole["components"]["messages"][each.type],
            json.dumps(asyncapi.json_schema(each), indent=2),
        )
        for each in events().values()
    ]
    return render(request, "ordersite/event_docs.html", {"document": whole, "messages": messages})


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
