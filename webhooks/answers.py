"""What clients are told of endpoints and deliveries."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, TypedDict

from msgspec import Meta

from runtime.moment import Moment
from runtime.requests.cursor import Next

EndpointId = Annotated[
    str, Meta(description="16 hexadecimal digits.", examples=["5f0c8a1e2f0b4a57"])
]
DeliveryId = Annotated[
    str,
    Meta(description="32 hexadecimal digits.", examples=["9d0e0a4b9f2f6c114c0f8a1e2f0b4a57"]),
]


class Endpoint(TypedDict):
    """A URL that hears of events."""

    endpointId: EndpointId
    url: str
    description: str
    userId: Annotated[
        int | None,
        Meta(description="The customer of whose orders it hears; null for a shop's: of all."),
    ]
    userIdText: NotRequired[str]
    types: Annotated[list[str], Meta(description="The types of events that it hears of.")]
    state: Annotated[str, Meta(description="`enabled` or `disabled`.")]
    reason: Annotated[str, Meta(description="Why it is disabled; empty while it is not.")]
    disabledAt: Moment | None
    secrets: Annotated[
        int, Meta(description="How many sign now; more than one while a rotation lasts.")
    ]
    createdAt: Moment
    createdBy: str
    lastSuccessAt: Annotated[Moment | None, Meta(description="To a minute.")]
    failures: Annotated[int, Meta(description="Failed attempts since the last success.")]
    failingSince: Moment | None
    nextAttemptAt: Annotated[Moment | None, Meta(description="Null where nothing waits.")]


class EndpointWithSecret(Endpoint):
    """An endpoint with its newest secret, which is shown this once."""

    secret: Annotated[str, Meta(description="Keep it: it verifies what is sent.")]


class MadeEndpoint(Endpoint):
    """An endpoint that was made, with its secret."""

    secret: NotRequired[
        Annotated[
            str,
            Meta(
                description="Keep it: it verifies what is sent. Left out where the request is a "
                "repeat of one that was sent more than 10 minutes ago, or the secret was rotated "
                "since."
            ),
        ]
    ]


class EndpointPage(TypedDict):
    """Endpoints, the newest first."""

    endpoints: list[Endpoint]
    next: Next


class Attempt(TypedDict):
    """One request, and what was answered."""

    at: Moment
    milliseconds: int
    requestHeaders: dict[str, str]
    status: Annotated[int | None, Meta(description="Null where there was no answer.")]
    answer: Annotated[str, Meta(description="The first characters of the answer's body.")]
    error: Annotated[str, Meta(description="Why there was no answer, or what is wrong with it.")]


class Delivery(TypedDict):
    """One event for one endpoint."""

    deliveryId: DeliveryId
    endpointId: EndpointId
    webhookId: Annotated[
        str, Meta(description="The header `webhook-id`, the same in every attempt.")
    ]
    type: str
    orderId: str | None
    state: Annotated[str, Meta(description="`pending`, `delivered` or `failed`.")]
    tries: Annotated[int, Meta(description="Attempts since it was noted, or sent again.")]
    createdAt: Moment
    settledAt: Moment | None
    nextAttemptAt: Moment | None


class DeliveryWithLog(Delivery):
    """With what is sent, and every attempt; the oldest of many are left out."""

    body: Annotated[Any, Meta(description="What is sent: the event.")]
    attempts: list[Attempt]


class SentAgain(TypedDict):
    """What an endpoint has missed and is sent again."""

    endpointId: EndpointId
    since: Moment
    deliveries: Annotated[
        int, Meta(description="How many there are, counted to 100,000; more are sent, too.")
    ]


class DeliveryPage(TypedDict):
    """Deliveries, the newest first."""

    deliveries: list[Delivery]
    next: Next
