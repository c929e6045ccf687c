"""Finding orders: the query and the cursor pages of `GET /orders`.

A page continues below the last order's id, so that orders placed meanwhile neither shift nor
repeat any, and the thousandth page costs what the first does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from bson import ObjectId
from msgspec import UNSET
from rest_framework.exceptions import NotFound

from orders.collection import orders
from orders.representation import ORDER_FIELDS
from orders.requests.order_filters import OrderFilters, id_of_cursor, moments, read
from runtime.requests import cursor
from runtime.requests.caller import Caller


class Page(NamedTuple):
    """Stored orders, newest first, and the query string of the page after them."""

    documents: list[dict[str, Any]]
    next_query: str | None


def page(parameters: Mapping[str, str], caller: Caller) -> Page:
    """The orders that the query parameters ask for, as far as the caller may see them.

    Raises:
        Refusal: a parameter is unknown or has no valid value; it is named.
        NotFound: they ask for another customer's.
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    request = read(parameters)
    asked = query(request, caller)
    found = orders().find(asked, ORDER_FIELDS).sort("_id", -1).limit(request.limit + 1)
    documents = list(found)
    if len(documents) <= request.limit:
        return Page(documents, None)
    documents.pop()
    last = last_id([document["_id"] for document in documents])
    following = {**parameters, "cursor": cursor_after(last)} if last else None
    return Page(documents, urlencode(following) if following else None)


def query(request: OrderFilters, caller: Caller) -> dict[str, Any]:
    """The MongoDB query; every condition on `_id` or at the front of an index is a bound of it."""
    conditions: list[dict[str, Any]] = []
    if (user_id := whose(request, caller)) is not None:
        conditions.append({"user_id": user_id})
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


def whose(request: OrderFilters, caller: Caller) -> int | None:
    """The user whose orders are listed; None for those of all users.

    Raises:
        NotFound: another customer's are asked for.
    """
    if request.user_id is UNSET:
        return caller.user_id
    if not caller.sees(request.user_id):
        raise NotFound(
            f"There are no orders of user {request.user_id} that you may see. Leave userId out, "
            "or send your own."
        )
    return request.user_id


def id_at(moment: datetime, margin_seconds: int) -> ObjectId:
    """The smallest id of that second, give or take a margin.

    An id holds the second in which it was made, a moment beside `created_at`; so it bounds the
    search by the index, and `created_at` decides.
    """
    seconds = max(0, min(2**32 - 1, int(moment.timestamp()) + margin_seconds))
    return ObjectId(seconds.to_bytes(4, "big") + bytes(8))


def last_id(shown: Sequence[object]) -> ObjectId | None:
    """The last of them that a page can begin behind.

    MongoDB sorts an id of another program, as a text, behind all of ours.
    """
    return next((each for each in reversed(shown) if isinstance(each, ObjectId)), None)


def cursor_after(order_id: ObjectId) -> str:
    return cursor.encoded(order_id.binary)
