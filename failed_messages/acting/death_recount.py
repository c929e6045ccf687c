"""Counts the groups' deaths again, from the certificates that the records keep."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import partial

from pymongo.client_session import ClientSession

from failed_messages.archiving import certificate
from failed_messages.archiving.fingerprint import cause_of
from failed_messages.archiving.groups import count_id, hour_of
from failed_messages.records.collection import failed_messages, failure_counts, failure_groups
from messaging.isolation import isolated
from runtime.transactions import in_transaction

NOT_COUNTED = (
    "Failed message %s is not counted in its group, as its certificates cannot be read; the others "
    "are. Correct its document, or delete it."
)

log = logging.getLogger(__name__)

Hours = Counter[datetime]


def recount() -> list[str]:
    """Set every group's deaths, in all and by the hour, to what the stored certificates say.

    Deaths whose records have been removed are no longer counted then.

    Returns: the groups that had a new death meanwhile and were left as they are; run it again.
    """
    seen = {
        group["_id"]: group.get("deaths") for group in failure_groups().find({}, {"deaths": True})
    }
    hours: dict[str, Hours] = {fingerprint: Counter() for fingerprint in seen}
    for fingerprint, hour in _deaths():
        hours.setdefault(fingerprint, Counter())[hour] += 1
    return [
        fingerprint
        for fingerprint, deaths in seen.items()
        if not in_transaction(partial(_correct, fingerprint, deaths, hours[fingerprint]))
    ]


def _deaths() -> Iterator[tuple[str, datetime]]:
    for record in failed_messages().find({}, {"certificates": True}):
        found: list[tuple[str, datetime]] = []
        with isolated(log, NOT_COUNTED, record["_id"]):
            decoded = map(certificate.decode, record["certificates"])
            found = [
                (cause_of(each).fingerprint, hour_of(certificate.died_at(each))) for each in decoded
            ]
        yield from found


def _correct(
    fingerprint: str, deaths_seen: int | None, hours: Hours, session: ClientSession
) -> bool:
    updated = failure_groups().update_one(
        {"_id": fingerprint, "deaths": deaths_seen},
        {"$set": {"deaths": hours.total()}},
        session=session,
    )
    if not updated.matched_count:
        return False
    group = failure_groups().find_one({"_id": fingerprint}, {"service": True}, session=session)
    assert group is not None
    failure_counts().delete_many({"group": fingerprint}, session=session)
    counts = [
        {
            "_id": count_id(fingerprint, hour),
            "group": fingerprint,
            "service": group.get("service", ""),
            "hour": hour,
            "deaths": deaths,
        }
        for hour, deaths in hours.items()
    ]
    if counts:
        failure_counts().insert_many(counts, session=session)
    return True
