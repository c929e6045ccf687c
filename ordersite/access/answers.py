"""What clients are told of API keys; `ordersite.access.representation` makes it."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from runtime.requests.cursor import Next

KeyId = Annotated[str, Meta(description="The key's id, not its secret.", examples=["k7d2m4q9x1"])]
Time = Annotated[str, Meta(description="RFC 3339, in UTC.", examples=["2026-11-28T12:00:00.000Z"])]
UserIdText = Annotated[
    str, Meta(description="`userId` as text, where it is beyond 2^53 - 1 (JavaScript rounds it).")
]


class ApiKey(TypedDict):
    """A key, without its secret."""

    id: KeyId
    client: Annotated[str, Meta(description="The same for all keys that it was rotated to.")]
    name: str
    userId: Annotated[
        int | None, Meta(description="The customer; null for a shop, which acts for all.")
    ]
    userIdText: NotRequired[UserIdText]
    scopes: list[str]
    requestsPerSecond: Annotated[int | None, Meta(description="Null for the default.")]
    state: str
    createdAt: Time | None
    createdBy: str
    expiresAt: Time | None
    revokedAt: Time | None
    lastUsedAt: Time | None


class ApiKeys(TypedDict):
    """A page of keys, the newest first."""

    items: list[ApiKey]
    next: Next


class NewApiKey(ApiKey):
    """A key with its secret, which is shown this once."""

    key: Annotated[str, Meta(description="Send it as Authorization: Bearer …")]
