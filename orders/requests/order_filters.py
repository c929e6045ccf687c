"""The query parameters of `GET /orders`; anything else is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Annotated

import msgspec
from bson import ObjectId
from msgspec import UNSET, Meta, Struct, UnsetType

from orders.answers import Status
from runtime.requests import cursor, query_string
from runtime.requests.number import MOST, UserId
from runtime.requests.refusal import Fault, Refusal

MAX_LIMIT = 200
TITLE = "The orders were not listed"


Moment = Annotated[
    str,
    Meta(
        description="A date (its whole day in UTC) or a time of RFC 3339.",
        examples=["2026-01-31"],
        extra_json_schema={"anyOf": [{"format": "date"}, {"format": "date-time"}]},
    ),
]
Cursor = Annotated[
    str, Meta(description="Of the `next` link of the page before.", examples=["Z0MAAAAAAAAAAAAB"])
]


class OrderFilters(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The query parameters of `GET /orders`."""

    user_id: UserId | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    created_from: Moment | UnsetType = UNSET
    created_to: Moment | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT)] = 50
    cursor: Cursor | UnsetType = UNSET


DATE_FIX = "Send a date like 2026-01-31 (UTC), or a time like 2026-01-31T12:00:00Z; write + as %2B."
FIXES = {
    "userId": f"Send a whole number from 1 to {MOST}.",
    "status": "Send placed, confirmed, shipped, rejected or cancelled.",
    "createdFrom": DATE_FIX,
    "createdTo": DATE_FIX,
    "limit": f"Send a whole number from 1 to {MAX_LIMIT}.",
    "cursor": cursor.FIX,
}


def read(parameters: Mapping[str, str]) -> OrderFilters:
    """Raises Refusal: parameters are unknown or have no valid value; all of them are named."""
    faults = list(misread(parameters))
    try:
        asked = query_string.read(parameters, OrderFilters, TITLE, FIXES)
    except Refusal as refusal:
        raise Refusal(TITLE, [*refusal.errors, *faults]) from refusal
    if faults:
        raise Refusal(TITLE, faults)
    return asked


def misread(parameters: Mapping[str, str]) -> Iterator[Fault]:
    """The faults of what is any text by its type: times, and the cursor."""
    readings: dict[str, Callable[[str], object]] = {
        "createdFrom": partial(moments, "createdFrom"),
        "createdTo": partial(moments, "createdTo"),
        "cursor": id_of_cursor,
    }
    for name, reading in readings.items():
        try:
            if name in parameters:
                reading(parameters[name])
        except Refusal as refusal:
            yield from refusal.errors


def moments(parameter: str, text: str) -> tuple[datetime, datetime]:
    """The time that the text names, from its first moment up to the first one after it.

    A date is its whole day in UTC; a time is its millisecond.

    Raises:
        Refusal: it is neither a date nor a time of RFC 3339.
    """
    try:
        if len(text) == len("2026-01-31"):
            day = datetime.combine(msgspec.convert(text, date), time(), UTC)
            return day, day + timedelta(days=1)
        moment = msgspec.convert(text, Annotated[datetime, Meta(tz=True)]).astimezone(UTC)
        return moment, moment + timedelta(milliseconds=1)
    except (msgspec.ValidationError, OverflowError) as error:
        fault = Fault(
            field=parameter, detail=f"must be a date or a time, not {text[:40]!r}", fix=DATE_FIX
        )
        raise Refusal(TITLE, [fault]) from error


def id_of_cursor(text: str) -> ObjectId:
    """Raises Refusal: the text is not a cursor of ours."""
    binary = cursor.decoded(text, TITLE)
    if len(binary) != 12:
        raise cursor.refused(TITLE)
    return ObjectId(binary)
