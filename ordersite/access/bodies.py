"""The bodies of requests about keys."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from ordersite.access import keys
from ordersite.access.scopes import ALL, SCOPES
from runtime.requests.json_body import JsonBody
from runtime.requests.no_body import no_body
from runtime.requests.number import UserId

TITLE = "The key was not made"
MOST_DAYS = 3_650
MOST_HOURS = 24 * 90

#: Of an Idempotency-Key.
KEY_EXAMPLE = "4c0f8a1e-2f0b-4a57-9d0e-0a4b9f2f6c11"

#: Checked by `expanded`, which takes a family, too.
ScopeName = Annotated[
    str,
    Meta(
        extra_json_schema={
            "enum": sorted({*SCOPES, *(name.partition(":")[0] + ALL for name in SCOPES)})
        },
        description="One, or all of a family: `orders:*`.",
    ),
]


class CreateKey(Struct, forbid_unknown_fields=True, rename="camel"):
    """`{"name": "the app of user 101", "userId": 101, "scopes": ["orders:place"]}`."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    #: Null for a shop, which acts for all.
    user_id: UserId | None
    scopes: Annotated[list[ScopeName], Meta(min_length=1, max_length=50)]
    #: Null for a key that never expires.
    expires_in_days: Annotated[int, Meta(ge=1, le=MOST_DAYS)] | UnsetType | None = UNSET
    requests_per_second: Annotated[int, Meta(ge=1, le=keys.MOST_REQUESTS_A_SECOND)] | None = None


class RotateKey(Struct, forbid_unknown_fields=True, rename="camel"):
    #: How long both keys work.
    overlap_hours: Annotated[int, Meta(ge=0, le=MOST_HOURS)] = 24


EXAMPLE = '{"name": "the app of user 101", "userId": 101, "scopes": ["orders:place"]}'
CREATE = JsonBody(
    CreateKey,
    TITLE,
    {
        "body": f"Send a JSON object like {EXAMPLE}.",
        "name": "Send 1 to 100 characters that say who holds the key.",
        "userId": "Send the customer's userId, or null for a shop that acts for all.",
        "scopes": 'Send an array of scopes, for example ["orders:place", "orders:read"].',
        "expiresInDays": f"Send a whole number from 1 to {MOST_DAYS}, or null for never.",
        "requestsPerSecond": f"Send a whole number from 1 to {keys.MOST_REQUESTS_A_SECOND}.",
    },
)
ROTATE = JsonBody(
    RotateKey,
    TITLE,
    {"body": f'Send {{"overlapHours": n}}, with a whole number from 0 to {MOST_HOURS}.'},
    empty=RotateKey(),
)
NOTHING = no_body(TITLE)
