"""The page of all routes of the HTTP API, made from its OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from ordersite.openapi.document import document
from ordersite.reference.markdown import code, json_block, table

HEAD = """# HTTP API

Every route, with its parameters and answers. For programs [openapi.json](../openapi.json) describes
the same; the site serves it at `/openapi.json`, and at `/docs` each request can be tried. What
holds for all routes is in [the API's rules](../api.md), and each kind of problem in
[problems](../problems.md).
"""

Operation = Mapping[str, Any]


def page() -> str:
    """The page in Markdown."""
    described = document()
    components = described["components"]
    of_all = common_answers(described)
    parts = [HEAD, "## Every route\n", "Each may also answer with one of these.\n"]
    parts.append(table(("Status", "Answer"), answers_of(of_all, components)) + "\n")
    for tag in described["tags"]:
        parts.append(f"## {tag['name']}\n")
        for path, method, operation in operations(described, tag["name"]):
            parts.append(
                "\n\n".join(section(path, method, own(operation, of_all), components)) + "\n"
            )
    return "\n".join(parts)


def operations(described: Mapping[str, Any], tag: str) -> Iterator[tuple[str, str, Operation]]:
    for path, item in described["paths"].items():
        for method, operation in item.items():
            if tag in operation["tags"]:
                yield path, method.upper(), operation


def section(
    path: str, method: str, operation: Operation, components: Mapping[str, Any]
) -> Iterator[str]:
    yield f"### {method} {path}"
    yield f"{operation['summary']}. {operation.get('description', '')}".strip()
    if parameters := operation.get("parameters"):
        rows = [
            (code(each["name"]), each["in"], each.get("description", "")) for each in parameters
        ]
        yield table(("Parameter", "In", "Meaning"), rows)
    body = operation.get("requestBody", {}).get("content", {})
    if (example := body.get("application/json", {}).get("example")) is not None:
        yield "A body:"
        yield json_block(example)
    yield table(("Status", "Answer"), answers_of(operation["responses"], components))


def common_answers(described: Mapping[str, Any]) -> dict[str, Any]:
    """The answers that every operation has in the same words, by status."""
    of_each = [
        {(status, str(answer)) for status, answer in operation["responses"].items()}
        for item in described["paths"].values()
        for operation in item.values()
    ]
    [any_path, *_] = described["paths"].values()
    [any_operation, *_] = any_path.values()
    in_all = set.intersection(*of_each)
    return {
        status: answer
        for status, answer in any_operation["responses"].items()
        if (status, str(answer)) in in_all
    }


def own(operation: Operation, of_all: Mapping[str, Any]) -> Operation:
    """The operation without what every one answers."""
    responses = {
        status: answer for status, answer in operation["responses"].items() if status not in of_all
    }
    return {**operation, "responses": responses}


def answers_of(
    responses: Mapping[str, Any], components: Mapping[str, Any]
) -> list[tuple[str, str]]:
    return [(status, said_of(status, answer, components)) for status, answer in responses.items()]


def said_of(status: str, answer: Mapping[str, Any], components: Mapping[str, Any]) -> str:
    if "$ref" in answer:
        answer = components["responses"][answer["$ref"].rpartition("/")[2]]
    said: str = answer.get("description") or HTTPStatus(int(status)).phrase
    return said
