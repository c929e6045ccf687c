"""The routes that say what the API is, for their clients."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from runtime.requests import entity_tag
from runtime.requests.operation import Answer, Header, Operation

IF_NONE_MATCH = Header(
    entity_tag.IF_NONE_MATCH, "The ETag of what the client has.", entity_tag.FIELD.example
)
NAME = Annotated[str, Meta(description="The last part of a `type`.", examples=["not-sold"])]
PAGE = {"text/html": "<!doctype html> …"}


def of_document(id_: str, summary: str, answer: Answer) -> Operation:
    return Operation(
        id=id_,
        summary=summary,
        headers=(IF_NONE_MATCH,),
        answers={200: answer, 304: entity_tag.SAME},
    )


OPENAPI = of_document(
    "getOpenApi",
    "This document",
    Answer(
        "The HTTP API as OpenAPI 3.1.",
        dict[str, Any],
        {"openapi": "3.1.1"},
        headers=(entity_tag.FIELD,),
    ),
)
ASYNCAPI = of_document(
    "getAsyncApi",
    "The events as AsyncAPI 3",
    Answer(
        "The document.",
        other={"application/yaml": {"asyncapi": "3.0.0"}},
        headers=(entity_tag.FIELD,),
    ),
)
DOCS = Operation(
    id="getDocs",
    summary="A page that shows this document, and sends requests",
    answers={200: Answer("The page.", other=PAGE)},
)
EVENT_DOCS = Operation(
    id="getEventDocs",
    summary="A page that shows the events",
    answers={200: Answer("The page.", other=PAGE)},
)
PROBLEMS = Operation(
    id="listProblems",
    summary="A page about every kind of problem",
    answers={200: Answer("The page.", other=PAGE)},
)
PROBLEM = Operation(
    id="getProblem",
    summary="A page about one kind of problem: where a `type` leads",
    path={"name": NAME},
    answers={200: Answer("The page.", other=PAGE)},
)
