"""Whether a failure group exists."""

from __future__ import annotations

from difflib import get_close_matches

from failed_messages.reading.filters import Filter
from failed_messages.records.collection import failure_groups
from failed_messages.records.invalid_request import Invalid

#: The latest groups, among which a mistyped fingerprint is searched.
GROUPS_COMPARED = 1_000
NEAREST = 3


class UnknownGroup(Invalid):
    """There is no failure group of that fingerprint."""


def require_known(selection: Filter) -> None:
    """Raises UnknownGroup: the filter names a group that is none; it names the nearest."""
    group = selection.group
    if not group or failure_groups().find_one({"_id": group}, {"_id": True}):
        return
    near = nearest(group)
    fix = f"Nearest: {', '.join(near)}." if near else "`failed_messages groups` lists all."
    raise UnknownGroup(
        "group", "must be the fingerprint of a failure group, and there is no such group", fix
    )


def nearest(fingerprint: str) -> list[str]:
    """The groups whose fingerprint begins so; else those most similar to it."""
    latest = (
        failure_groups().find({}, {"_id": True}).sort("last_failed_at", -1).limit(GROUPS_COMPARED)
    )
    known = [group["_id"] for group in latest]
    begins = [each for each in known if each.startswith(fingerprint)]
    return (begins or get_close_matches(fingerprint, known, NEAREST, cutoff=0.5))[:NEAREST]
