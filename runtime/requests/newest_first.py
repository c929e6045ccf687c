"""Pages of a list whose newest is first: each begins behind the time and the id of one record, so
that what comes meanwhile shifts none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request

from runtime.mongodb_clock import EPOCH
from runtime.requests import cursor, query_string
from runtime.requests.cursor import Cursor

MOST = 200
DEFAULT = 50

Limit = Annotated[int, Meta(ge=1, le=MOST, description="How many items, at most.")]

FIXES = {
    "limit": f"Send a whole number from 1 to {MOST}.",
    "cursor": cursor.FIX,
}

MILLISECOND = timedelta(milliseconds=1)
#: As `service billing`, or hexadecimal digits.
_ID = re.compile(r"[\w-]+( [\w-]+)?")
#: What no cursor of ours has: MongoDB counts milliseconds in 64 bits, Python's dates end sooner.
LAST_MILLISECOND = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MILLISECOND


class PageFilters(Struct, frozen=True, forbid_unknown_fields=True):
    """The query parameters of a list that has no others."""

    limit: Limit = DEFAULT
    cursor: Cursor | UnsetType = UNSET


class Place(NamedTuple):
    """The record behind which a page begins."""

    at: datetime
    id: str


class Page(NamedTuple):
    """Some records, and the address of the page after them."""

    records: list[Any]
    next: str | None


def page(request: Request, records: QuerySet[Any], by: str) -> Page:
    """The page that the request asks for, of a list without filters.

    Args:
        by: the field with the time by which the records are sorted.

    Raises:
        Refusal: a parameter is unknown or has no valid value; it is named.
    """
    parameters = query_string.parameters(request)
    asked = query_string.read(parameters, PageFilters, query_string.TITLE, FIXES)
    return page_of(request, records, by, parameters, asked.limit)


def page_of(
    request: Request,
    records: QuerySet[Any],
    by: str,
    parameters: Mapping[str, str],
    limit: int,
) -> Page:
    """The same, where the parameters are read already."""
    if "cursor" in parameters:
        records = behind(records, by, parameters["cursor"])
    return cut(request, list(records[: limit + 1]), by, parameters, limit)


def cut(
    request: Request, found: list[Any], by: str, parameters: Mapping[str, str], limit: int
) -> Page:
    """The page of the first `limit` records; one more that was found tells of a page after it."""
    if len(found) <= limit:
        return Page(found, None)
    shown = found[:limit]
    query = next_query(parameters, [(getattr(each, by), str(each.pk)) for each in shown])
    return Page(shown, f"{request.path}?{query}" if query else None)


def behind(records: QuerySet[Any], by: str, after: str) -> QuerySet[Any]:
    """Those that come behind the record that the cursor was made after."""
    place = place_of(after, query_string.TITLE)
    try:
        id_ = records.model._meta.pk.to_python(place.id)
    except ValidationError as error:
        raise cursor.refused(query_string.TITLE) from error
    return records.filter(Q(**{f"{by}__lt": place.at}) | Q(**{by: place.at, "pk__lt": id_}))


def next_query(parameters: Mapping[str, str], shown: Sequence[tuple[object, object]]) -> str | None:
    """The query string of the page behind these, with the same filters; None where there is none.

    Args:
        shown: the time and the id of each record.
    """
    place = last_place(shown)
    return urlencode({**parameters, "cursor": cursor_after(place)}) if place else None


def last_place(shown: Sequence[tuple[object, object]]) -> Place | None:
    """The last of them that a page can begin behind.

    A record that another program wrote may have no time: MongoDB sorts it behind all others.
    """
    for at, id_ in reversed(shown):
        if not isinstance(at, datetime) or at < EPOCH:
            continue
        if isinstance(id_, str) and _ID.fullmatch(id_):
            return Place(at, id_)
    return None


def cursor_after(place: Place) -> str:
    milliseconds = (place.at - EPOCH) // MILLISECOND
    return cursor.encoded(f"{milliseconds} {place.id}".encode())


def place_of(text: str, title: str) -> Place:
    """What the cursor was made of; `title` is what did not happen, if it is none.

    Raises:
        Refusal: it is not a cursor of such a list.
    """
    try:
        milliseconds, id_ = cursor.decoded(text, title).decode().split(" ", 1)
        count = int(milliseconds)
    except ValueError:
        count, id_ = -1, ""
    if not 0 <= count <= LAST_MILLISECOND or not _ID.fullmatch(id_):
        raise cursor.refused(title)
    return Place(EPOCH + count * MILLISECOND, id_)
