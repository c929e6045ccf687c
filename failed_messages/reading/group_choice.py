"""Which failure groups a list shows: for the admin, the API and the command line."""

from __future__ import annotations

from django.db.models import QuerySet

from failed_messages.models import FailureGroup, GroupStatus, Status
from failed_messages.records.collection import failed_messages


def failing() -> list[str]:
    """The fingerprints of the groups of which a message is failed now, out of an index alone."""
    query = {"fingerprint": {"$gt": ""}, "status": str(Status.FAILED)}
    return list(failed_messages().distinct("fingerprint", query))


def chosen(groups: QuerySet[FailureGroup], status: str) -> QuerySet[FailureGroup]:
    """Those of `groups` with this status, all where it is empty.

    A new one of which no message is failed any more needs nobody, so it is not listed as new.
    """
    if not status:
        return groups
    found = groups.filter(status=status)
    return found.filter(pk__in=failing()) if status == GroupStatus.NEW else found
