"""What a client may ask of endpoints and deliveries; anything else is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from messaging.service import events
from runtime.requests import newest_first, query_string
from runtime.requests.cursor import Cursor
from runtime.requests.faults import body_fault
from runtime.requests.json_body import JsonBody
from runtime.requests.newest_first import Limit
from runtime.requests.no_body import no_body
from runtime.requests.number import UserId
from runtime.requests.query_string import Filters
from runtime.requests.refusal import Fault, Refusal
from webhooks.addresses import MOST_CHARACTERS, fault_of_url
from webhooks.rotation import MOST_OVERLAP_HOURS, OVERLAP_HOURS
from webhooks.service import SERVICE

TITLE = "The endpoint was not changed"
TITLE_OF_SENDING = "Nothing was sent"
TITLE_OF_LIST = "Nothing was listed"

KEY_EXAMPLE = "a new UUID for each request"
MOST_TYPES = 100


def known_types() -> list[str]:
    """The types of events that an endpoint can hear of."""
    own = {event.type for event in SERVICE.publishes}
    return [type_ for type_ in events() if type_ not in own]


Url = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MOST_CHARACTERS,
        examples=["https://shop.example.com/webhooks"],
        extra_json_schema={"format": "uri", "pattern": "^https?://"},
    ),
]
Types = Annotated[
    list[
        Annotated[
            str, Meta(min_length=1, max_length=100, extra_json_schema={"enum": known_types()})
        ]
    ],
    Meta(min_length=1, max_length=MOST_TYPES),
]
#: Python's `$` would let a line break follow.
DESCRIPTION = r"^[^\x00-\x1f\x7f]*$(?!\n)"
Description = Annotated[str, Meta(max_length=200, pattern=DESCRIPTION)]
Moment = Annotated[
    datetime,
    Meta(tz=True, description="A time of RFC 3339.", examples=["2026-01-31T12:00:00Z"]),
]


class NewEndpoint(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`{"url": "https://shop.example.com/webhooks", "types": ["order.confirmed"]}`."""

    url: Url
    types: Types
    description: Description = ""
    #: Whose orders it hears of; by default the key's own customer, or all where it is a shop's.
    user_id: UserId | UnsetType | None = UNSET


class EndpointChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`{"types": ["order.confirmed"]}`: what is not given stays as it is."""

    url: Url | UnsetType = UNSET
    types: Types | UnsetType = UNSET
    description: Description | UnsetType = UNSET


class Rotation(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`{"overlapHours": 24}`."""

    #: How long the secret before it signs, too.
    overlap_hours: Annotated[int, Meta(ge=0, le=MOST_OVERLAP_HOURS)] = OVERLAP_HOURS


class Missed(Struct, frozen=True, forbid_unknown_fields=True):
    """`{"since": "2026-01-31T12:00:00Z"}`."""

    #: What was noted before then is not sent again.
    since: Moment


class EndpointFilters(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The query parameters of `GET /webhooks/endpoints`."""

    user_id: UserId | UnsetType = UNSET
    state: Literal["enabled", "disabled"] | UnsetType = UNSET
    limit: Limit = 50
    cursor: Cursor | UnsetType = UNSET


class DeliveryFilters(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The query parameters of `GET /webhooks/endpoints/{endpointId}/deliveries`."""

    state: Literal["pending", "delivered", "failed"] | UnsetType = UNSET
    limit: Limit = 50
    cursor: Cursor | UnsetType = UNSET


URL_FIX = "Send a URL on the internet, for example https://shop.example.com/webhooks."
TYPES_FIX = 'Send an array of types of events, for example ["order.placed", "order.confirmed"].'
FIXES = {
    "body": 'Send a JSON object like {"url": "https://shop.example.com/webhooks", '
    '"types": ["order.confirmed"]}.',
    "url": URL_FIX,
    "types": TYPES_FIX,
    "types[]": TYPES_FIX,
    "description": "Send up to 200 characters on one line.",
    "userId": "Send a customer's userId, or leave it out.",
}
FIXES_OF_LIST = {
    "userId": "Send a whole number, without quotes.",
    "limit": newest_first.FIXES["limit"],
    "cursor": newest_first.FIXES["cursor"],
}

NEW = JsonBody(NewEndpoint, TITLE, FIXES)
CHANGE = JsonBody(
    EndpointChange,
    TITLE,
    {**FIXES, "userId": "An endpoint keeps its owner: make another one."},
)
ROTATE = JsonBody(
    Rotation,
    TITLE,
    {
        "body": 'Send {"overlapHours": 24}, or nothing.',
        "overlapHours": f"Send a whole number of hours from 0 to {MOST_OVERLAP_HOURS}.",
    },
    empty=Rotation(),
)
SINCE_FIX = "Send a time like 2026-01-31T12:00:00Z."
MISSED = JsonBody(
    Missed,
    TITLE_OF_SENDING,
    {"body": 'Send a JSON object like {"since": "2026-01-31T12:00:00Z"}.', "since": SINCE_FIX},
)
NOTHING = no_body(TITLE)
NOTHING_TO_SEND = no_body(TITLE_OF_SENDING)


def faults_in(fields: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with an endpoint beside its types; what is None is known to be wrong.

    Nothing can be sent to the URL, or a type is not an event's.
    """
    if (url := fields.get("url")) is not None and (fault := fault_of_url(url)):
        yield body_fault(("url",), fault, URL_FIX)
    known = known_types()
    for index, each in enumerate(fields.get("types") or ()):
        if each is not None and each not in known:
            fix = f"The types are {', '.join(known)}."
            yield body_fault(("types", index), "must be a type of event", fix)


def in_utc(since: datetime) -> datetime:
    """Raises Refusal: that is before the first or after the last year that there is."""
    try:
        return since.astimezone(UTC)
    except OverflowError as error:
        fault = body_fault(("since",), "must be a time in the years 1 to 9999, in UTC", SINCE_FIX)
        raise Refusal(TITLE_OF_SENDING, [fault]) from error


def read(parameters: Mapping[str, str], filters: type[Filters]) -> Filters:
    """Raises Refusal: a parameter is unknown or has no valid value; it is named."""
    fixes = {
        "state": f"Send one of {', '.join(states_of(filters))}.",
        **FIXES_OF_LIST,
    }
    return query_string.read(parameters, filters, TITLE_OF_LIST, fixes)


def states_of(filters: type[Struct]) -> tuple[str, ...]:
    if filters is EndpointFilters:
        return ("enabled", "disabled")
    return ("pending", "delivered", "failed")
