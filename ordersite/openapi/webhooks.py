"""What is sent to webhook endpoints: each type of event and the test, for OpenAPI's `webhooks`.

https://spec.openapis.org/oas/v3.1.1#oas-webhooks
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from messaging.service import Event, events
from ordersite.openapi.schemas import schemas_of
from runtime.requests.operation import JSON, Header
from webhooks.bodies import known_types
from webhooks.managing import TEST

#: The events' types have names of their own among the API's.
NAME = "Event{name}"
REF = f"#/components/schemas/{NAME}"

HEADERS = (
    Header(
        "webhook-id",
        "Of the event: the same in every attempt, and at every endpoint.",
        "msg_2f6c114c0f8a1e2f0b4a579d0e0a4b9f",
    ),
    Header("webhook-timestamp", "Of the attempt, in seconds since 1970.", "1764417600"),
    Header(
        "webhook-signature",
        "A signature for each secret that is valid (Standard Webhooks, `v1`).",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
)
#: In every body.
ADDED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "description": "The event's type."},
        "timestamp": {
            "type": "string",
            "format": "date-time",
            "description": "When webhooks heard of the event.",
        },
    },
    "required": ["type", "timestamp"],
}
#: Beside the fields of the event's own body.
OF_AN_EVENT: dict[str, Any] = {
    **ADDED,
    "properties": {
        **ADDED["properties"],
        "userIdText": {
            "type": "string",
            "description": "`userId` as text, where it is beyond 2^53 - 1 (JavaScript rounds it).",
        },
    },
}
#: What is sent as a test.
OF_A_TEST: dict[str, Any] = {
    **ADDED,
    "properties": {**ADDED["properties"], "endpointId": {"type": "string"}},
    "required": [*ADDED["required"], "endpointId"],
}


def webhooks() -> dict[str, Any]:
    """Each type, with what is sent."""
    test = request("Nothing happened: somebody asked for a test", "", OF_A_TEST)
    return {**{each.type: {"post": of_event(each)} for each in sent()}, TEST: {"post": test}}


def schemas() -> dict[str, Any]:
    """The events' bodies, as components."""
    bodies = [each.body for each in sent()]
    _, components = schemas_of(bodies, REF)
    return {NAME.format(name=name): each for name, each in components.items()}


def sent() -> Iterator[Event]:
    return (events()[type_] for type_ in known_types())


def of_event(event: Event) -> dict[str, Any]:
    body = {"$ref": REF.format(name=event.body.__name__)}
    summary, _, more = (event.body.__doc__ or "").partition("\n")
    return request(summary.rstrip("."), more.strip(), {"allOf": [OF_AN_EVENT, body]})


def request(summary: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": summary,
        **({"description": description} if description else {}),
        "tags": ["webhooks"],
        "security": [],
        "parameters": [
            {
                "in": "header",
                "name": each.name,
                "required": True,
                "description": each.description,
                "schema": {"type": "string"},
                "example": each.example,
            }
            for each in HEADERS
        ],
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": schema}},
        },
        "responses": {
            "2XX": {"description": "It is delivered; any other answer is a failure."},
            "410": {"description": "The endpoint is disabled, and gets nothing more."},
        },
    }
