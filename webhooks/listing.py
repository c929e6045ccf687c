"""Pages of endpoints and of deliveries, the newest first.

A page continues behind the last one's time and id, so that what comes meanwhile shifts none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from msgspec import UNSET, UnsetType
from pymongo.collection import Collection

from runtime.mongodb_clock import EPOCH
from runtime.requests import cursor
from webhooks.requests import TITLE_OF_LIST
from webhooks.store import Document

NEWEST_FIRST = [("created_at", -1), ("_id", -1)]
MILLISECOND = timedelta(milliseconds=1)
#: What no cursor of ours has: MongoDB counts milliseconds in 64 bits, Python's dates end sooner.
LAST_MILLISECOND = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MILLISECOND


class Page(NamedTuple):
    """Some documents, and the query string of the page after them."""

    documents: list[Document]
    next_query: str | None


def page(
    of: Callable[[], Collection[Document]],
    query: Mapping[str, Any],
    parameters: Mapping[str, str],
    limit: int,
    after: str | UnsetType,
) -> Page:
    """One page of what the query finds, behind the cursor `after`.

    Raises:
        Refusal: the cursor is not one of ours.
    """
    wanted = {"$and": [query, *([] if after is UNSET else [behind(str(after))])]}
    found = list(of().find(wanted).sort(NEWEST_FIRST).limit(limit + 1))
    if len(found) <= limit:
        return Page(found, None)
    shown = found[:limit]
    return Page(shown, urlencode({**parameters, "cursor": cursor_after(shown[-1])}))


def cursor_after(last: Document) -> str:
    milliseconds = (last["created_at"] - EPOCH) // MILLISECOND
    return cursor.encoded(f"{milliseconds} {last['_id']}".encode())


def behind(text: str) -> dict[str, Any]:
    """Finds what comes behind the document that the cursor was made after."""
    place = cursor.decoded(text, TITLE_OF_LIST)
    try:
        milliseconds, id_ = place.decode().split(" ")
        count = int(milliseconds)
    except ValueError:
        count, id_ = -1, ""
    if not 0 <= count <= LAST_MILLISECOND or not id_.isalnum():
        raise cursor.refused(TITLE_OF_LIST)
    at = EPOCH + count * MILLISECOND
    return {"$or": [{"created_at": {"$lt": at}}, {"created_at": at, "_id": {"$lt": id_}}]}
