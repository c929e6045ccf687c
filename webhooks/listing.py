"""Pages of endpoints and of deliveries, the newest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from msgspec import UNSET, UnsetType
from pymongo.collection import Collection

from runtime.requests.newest_first import next_query, place_of
from webhooks.bodies import TITLE_OF_LIST
from webhooks.store import Document

NEWEST_FIRST = [("created_at", -1), ("_id", -1)]


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
    ends = [(each.get("created_at"), each["_id"]) for each in shown]
    return Page(shown, next_query(parameters, ends))


def behind(text: str) -> dict[str, Any]:
    """Finds what comes behind the document that the cursor was made after."""
    at, id_ = place_of(text, TITLE_OF_LIST)
    return {"$or": [{"created_at": {"$lt": at}}, {"created_at": at, "_id": {"$lt": id_}}]}
