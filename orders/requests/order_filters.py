"""The query parameters of `GET /orders`; anything else is refused."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

import msgspec
from bson import ObjectId
from msgspec import UNSET, Meta, Struct, UnsetType

from orders.answers import Status
from runtime.requests.faults import faults_of
from runtime.requests.number import MOST, UserId
from runtime.requests.refusal import Fault, Refusal

MAX_LIMIT = 200
TITLE = "The orders were not listed"


Moment = Annotated[
    str,
    Meta(
        description="A date (its whole day in UTC) or a time of RFC 3339.", examples=["2026-01-31"]
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
CURSOR_FIX = "Take it from the `next` link of the page before, or leave it out."
FIXES = {
    "body": f"The parameters are {', '.join(OrderFilters.__struct_encode_fields__)}.",
    "userId": f"Send a whole number from 1 to {MOST}.",
    "status": "Send placed, confirmed, shipped, rejected or cancelled.",
    "createdFrom": DATE_FIX,
    "createdTo": DATE_FIX,
    "limit": f"Send a whole number from 1 to {MAX_LIMIT}.",
    "cursor": CURSOR_FIX,
}


def read(parameters: Mapping[str, str]) -> OrderFilters:
    try:
        return msgspec.convert(dict(parameters), OrderFilters, strict=False)
    except msgspec.ValidationError as error:
        faults = faults_of(parameters, OrderFilters, FIXES, strict=False, is_body=False)
        raise Refusal(TITLE, faults) from error


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


def id_of_cursor(cursor: str) -> ObjectId:
    """Raises Refusal: the text is not a cursor of ours."""
    try:
        # The 12 bytes of an id are 16 characters without padding.
        binary = base64.b64decode(cursor, altchars=b"-_", validate=True)
        if len(binary) != 12:
            raise ValueError("not 12 bytes")
        return ObjectId(binary)
    except (ValueError, binascii.Error) as error:
        fault = Fault(field="cursor", detail="must be a cursor of this list", fix=CURSOR_FIX)
        raise Refusal(TITLE, [fault]) from error
