"""Finding orders: the filters and the cursor pages of `GET /orders`.

A page continues below the last order's id, so that orders placed meanwhile neither shift nor
repeat any, and the thousandth page costs what the first does.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlencode

import msgspec
from bson import ObjectId
from msgspec import UNSET, Meta, Struct, UnsetType

from orders.collection import orders
from orders.place_order import MAX_USER_ID, UserId
from runtime.requests.refusal import Fault, Refusal, fault_of

MAX_LIMIT = 200
TITLE = "The orders were not listed"


class ListOrders(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The query parameters of `GET /orders`."""

    user_id: UserId | UnsetType = UNSET
    status: Literal["placed", "confirmed", "rejected", "cancelled"] | UnsetType = UNSET
    created_from: str | UnsetType = UNSET
    created_to: str | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT)] = 50
    cursor: str | UnsetType = UNSET


DATE_FIX = "Send a date like 2026-01-31 (UTC), or a time like 2026-01-31T12:00:00Z; write + as %2B."
CURSOR_FIX = "Take it from the `next` link of the page before, or leave it out."
FIXES = {
    "body": f"The parameters are {', '.join(ListOrders.__struct_encode_fields__)}.",
    "userId": f"Send a whole number from 1 to {MAX_USER_ID}.",
    "status": "Send placed, confirmed, rejected or cancelled.",
    "createdFrom": DATE_FIX,
    "createdTo": DATE_FIX,
    "limit": f"Send a whole number from 1 to {MAX_LIMIT}.",
    "cursor": CURSOR_FIX,
}


class Page(NamedTuple):
    """Stored orders, newest first, and the query string of the page after them."""

    documents: list[dict[str, Any]]
    next_query: str | None


def page(parameters: Mapping[str, str]) -> Page:
    """The orders that the query parameters ask for.

    Raises:
        Refusal: a parameter is unknown or has no valid value; it is named.
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    request = read(parameters)
    found = orders().find(query(request)).sort("_id", -1).limit(request.limit + 1)
    documents = list(found)
    if len(documents) <= request.limit:
        return Page(documents, None)
    documents.pop()
    following = {**parameters, "cursor": cursor_after(documents[-1]["_id"])}
    return Page(documents, urlencode(following))


def read(parameters: Mapping[str, str]) -> ListOrders:
    try:
        return msgspec.convert(dict(parameters), ListOrders, strict=False)
    except msgspec.ValidationError as error:
        raise Refusal(TITLE, [fault_of(error, FIXES)]) from error


def query(request: ListOrders) -> dict[str, Any]:
    """The MongoDB query; every condition on `_id` or at the front of an index is a bound of it."""
    conditions: list[dict[str, Any]] = []
    if request.user_id is not UNSET:
        conditions.append({"user_id": request.user_id})
    if request.status is not UNSET:
        conditions.append({"status": request.status})
    if request.created_from is not UNSET:
        start, _ = moments("createdFrom", request.created_from)
        conditions.append({"created_at": {"$gte": start}, "_id": {"$gte": id_at(start, -1)}})
    if request.created_to is not UNSET:
        _, end = moments("createdTo", request.created_to)
        conditions.append({"created_at": {"$lt": end}, "_id": {"$lt": id_at(end, +2)}})
    if request.cursor is not UNSET:
        conditions.append({"_id": {"$lt": id_of_cursor(request.cursor)}})
    return {"$and": conditions} if conditions else {}


def id_at(moment: datetime, margin_seconds: int) -> ObjectId:
    """The smallest id of that second, give or take a margin.

    An id holds the second in which it was made, a moment beside `created_at`; so it bounds the
    search by the index, and `created_at` decides.
    """
    seconds = max(0, min(2**32 - 1, int(moment.timestamp()) + margin_seconds))
    return ObjectId(seconds.to_bytes(4, "big") + bytes(8))


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
        fault = Fault(field=parameter, detail=f"{text[:40]!r} is no date or time", fix=DATE_FIX)
        raise Refusal(TITLE, [fault]) from error


def cursor_after(order_id: ObjectId) -> str:
    return base64.urlsafe_b64encode(order_id.binary).decode()


def id_of_cursor(cursor: str) -> ObjectId:
    """Raises Refusal: the text is no cursor of ours."""
    try:
        # The 12 bytes of an id are 16 characters without padding.
        binary = base64.b64decode(cursor, altchars=b"-_", validate=True)
        if len(binary) != 12:
            raise ValueError("not 12 bytes")
        return ObjectId(binary)
    except (ValueError, binascii.Error) as error:
        fault = Fault(field="cursor", detail="is not a cursor of this list", fix=CURSOR_FIX)
        raise Refusal(TITLE, [fault]) from error
