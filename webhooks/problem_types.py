"""The kinds of problems with webhooks."""

from __future__ import annotations

from runtime.requests.problem_type import ProblemType

WEBHOOKS_OFF = ProblemType(
    "webhooks-off",
    409,
    "This site sends no webhooks",
    "The site's operator has not turned webhooks on, so an endpoint would hear of no event.",
    "Ask the operator to set `WEBHOOKS=true`, or subscribe to the events in another way.",
    "This site sends no webhooks. Its operator turns them on with WEBHOOKS=true.",
)
ENDPOINT_DISABLED = ProblemType(
    "endpoint-disabled",
    409,
    "The endpoint is disabled",
    "Nothing is sent to an endpoint that is disabled; its `reason` says why it is.",
    "Enable it, then try again.",
    "Nothing was sent. endpoint: is disabled. Enable it first: POST "
    "/webhooks/endpoints/{endpointId}/enable.",
    (
        {
            "field": "endpoint",
            "detail": "is disabled",
            "fix": "Enable it first: POST /webhooks/endpoints/{endpointId}/enable.",
        },
    ),
)
TOO_MANY_ENDPOINTS = ProblemType(
    "too-many-endpoints",
    409,
    "The customer has the most endpoints that are allowed",
    "A customer may have 20 endpoints, including disabled ones.",
    "Delete one that is not needed, or let one of them hear of more types.",
    "The endpoint was not changed. userId: has 20 endpoints, as many as a customer may have. "
    "Delete one of them first: DELETE /webhooks/endpoints/{endpointId}.",
    (
        {
            "field": "userId",
            "detail": "has 20 endpoints, as many as a customer may have",
            "fix": "Delete one of them first: DELETE /webhooks/endpoints/{endpointId}.",
            "pointer": "#/userId",
        },
    ),
)
