"""The keys' routes, for their clients."""

from __future__ import annotations

from typing import Any

from ordersite.access import answers
from ordersite.access.bodies import CREATE, KEY_EXAMPLE, NOTHING, ROTATE
from ordersite.access.problem_types import ABOVE_OWN_KEY, KEY_ENDED, KEY_MADE_BEFORE
from runtime.requests import idempotency_key
from runtime.requests.newest_first import PageFilters
from runtime.requests.operation import Answer, Header, Link, Operation

PATH = {"id_": answers.KeyId}
NO_STORE = Header("Cache-Control", "A key is kept by nobody on its way.", "no-store")

KEY: dict[str, Any] = {
    "id": "k7d2m4q9x1",
    "client": "k7d2m4q9x1",
    "name": "the app of user 101",
    "userId": 101,
    "scopes": ["orders:place"],
    "requestsPerSecond": None,
    "state": "active",
    "createdAt": "2026-11-28T12:00:00.000Z",
    "createdBy": "key k1f5t8w2z3 of the shop",
    "expiresAt": "2027-11-28T12:00:00.000Z",
    "revokedAt": None,
    "lastUsedAt": None,
}
MADE = Answer(
    "The key, with its secret.",
    answers.NewApiKey,
    {**KEY, "key": "ordersite_k7d2m4q9x1_…"},
    headers=(NO_STORE,),
    links=(Link("id", "/id", ("getApiKey", "rotateApiKey", "revokeApiKey")),),
)

LIST = Operation(
    id="listApiKeys",
    summary="List the keys, without their secrets",
    query=PageFilters,
    answers={200: Answer("A page of keys.", answers.ApiKeys, {"items": [KEY], "next": None})},
)
CREATE_KEY = Operation(
    id="createApiKey",
    summary="Make a key, with scopes that you have",
    description="A repeat with the same `Idempotency-Key` makes none, and does not show the secret "
    "again.",
    body=CREATE,
    headers=(idempotency_key.field(KEY_EXAMPLE),),
    example={"name": "the app of user 101", "userId": 101, "scopes": ["orders:place"]},
    answers={201: MADE},
    problems=(KEY_MADE_BEFORE, ABOVE_OWN_KEY),
)
SHOW = Operation(
    id="getApiKey",
    summary="One key, without its secret",
    path=PATH,
    answers={200: Answer("The key.", answers.ApiKey, KEY)},
)
ROTATE_KEY = Operation(
    id="rotateApiKey",
    summary="Make the key that follows this one; both work for a while",
    path=PATH,
    body=ROTATE,
    example={"overlapHours": 24},
    answers={201: MADE},
    problems=(KEY_ENDED, ABOVE_OWN_KEY),
)
REVOKE = Operation(
    id="revokeApiKey",
    summary="End a key",
    path=PATH,
    body=NOTHING,
    answers={
        200: Answer(
            "The key has ended.",
            answers.ApiKey,
            {**KEY, "state": "revoked", "revokedAt": "2026-11-28T12:00:00.000Z"},
        )
    },
)
