"""Lists of failed messages, newest first: for the admin, the API and the command line."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from failed_messages.models import FailedMessage
from failed_messages.reading.filters import Filter, index_of
from failed_messages.reading.representation import SUMMARY_FIELDS
from failed_messages.records.collection import failed_messages
from runtime.requests.newest_first import Place

NEWEST_FIRST = [("last_failed_at", -1), ("_id", -1)]


def page(selection: Filter, limit: int, after: Place | None = None) -> list[FailedMessage]:
    """The newest that match, without bodies and certificates; for `after` see `newest_ids`."""
    ids = newest_ids(selection, limit, after)
    records = FailedMessage.objects.only(*SUMMARY_FIELDS).filter(pk__in=ids).order_by()
    by_id = {record.pk: record for record in records}
    return [by_id[id_] for id_ in ids if id_ in by_id]


def newest_ids(selection: Filter, limit: int, after: Place | None = None) -> list[ObjectId]:
    """The ids of the newest that match.

    Args:
        after: the last record of the page before; what fails meanwhile shifts nothing.
    """
    query = selection.query()
    index = index_of(query)
    if after is not None:
        query = {"$and": [query, _behind(after)]}
    found = failed_messages().find(query, {"_id": True}).sort(NEWEST_FIRST).limit(limit)
    return [record["_id"] for record in (found.hint(index) if index else found)]


def _behind(after: Place) -> dict[str, Any]:
    at, id_ = after.at, ObjectId(after.id)
    earlier = [{"last_failed_at": {"$lt": at}}, {"last_failed_at": at, "_id": {"$lt": id_}}]
    return {"last_failed_at": {"$lte": at}, "$or": earlier}
