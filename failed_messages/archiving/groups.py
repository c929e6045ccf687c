"""Failure groups: one record for each cause of deaths.

The archiver counts a death in the transaction that stores it, so that a death is counted once
however often RabbitMQ delivers it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

from failed_messages.archiving import certificate
from failed_messages.archiving.fingerprint import Cause, cause_of
from failed_messages.archiving.releases import is_at_least
from failed_messages.models import GroupStatus
from failed_messages.records import audit
from failed_messages.records.collection import failure_counts, failure_groups
from failed_messages.records.history import ARCHIVER
from messaging.certificate import Certificate
from messaging.storable import text


def count_death(death: Certificate, session: ClientSession) -> str:
    """Add a death to its group, which is made where there is none.

    A group that was fixed in a release which this death has met is regressed.

    Returns: the group's fingerprint.
    """
    cause = cause_of(death)
    group = failure_groups().find_one_and_update(
        {"_id": cause.fingerprint},
        _one_more(cause, death),
        upsert=True,
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    assert group is not None  # upserted
    _count_in_its_hour(cause, certificate.died_at(death), session)
    if group["status"] == GroupStatus.FIXED and is_at_least(group["release"], group["fixed_in"]):
        _regress(group, session)
    return cause.fingerprint


def only_named(death: Certificate, session: ClientSession | None = None) -> str:
    """The fingerprint of the death's group, which is left as it is."""
    return cause_of(death).fingerprint


def hour_of(at: datetime) -> datetime:
    """The hour that `at` is in."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def count_id(fingerprint: str, hour: datetime) -> str:
    """The key of a group's count of one hour."""
    return f"{fingerprint}|{hour:%Y-%m-%dT%H}"


def untouched() -> dict[str, Any]:
    """What operators have said about a group that they have not seen yet."""
    return {
        "status": GroupStatus.NEW,
        "fixed_in": "",
        "regressed_at": None,
        "alert": "new",
        "alerted_at": None,
        "owner": "",
        "note": "",
        "link": "",
    }


def _one_more(cause: Cause, death: Certificate) -> dict[str, Any]:
    at = certificate.died_at(death)
    return {
        "$setOnInsert": {
            "service": cause.service,
            "exception": cause.exception,
            "reason": cause.reason,
            "frame": cause.frame,
            "pattern": cause.words,
            **untouched(),
        },
        "$set": {"example": text(death.message, 500), "release": text(death.release, 100)},
        "$inc": {"deaths": 1},
        "$min": {"first_failed_at": at},
        "$max": {"last_failed_at": at},
        # By MongoDB's clock, for alerts.
        "$currentDate": {"archived_at": True},
    }


def _count_in_its_hour(cause: Cause, at: datetime, session: ClientSession) -> None:
    hour = hour_of(at)
    failure_counts().update_one(
        {"_id": count_id(cause.fingerprint, hour)},
        {
            "$setOnInsert": {"group": cause.fingerprint, "service": cause.service, "hour": hour},
            "$inc": {"deaths": 1},
        },
        upsert=True,
        session=session,
    )


def _regress(group: dict[str, Any], session: ClientSession) -> None:
    failure_groups().update_one(
        {"_id": group["_id"]},
        {
            "$set": {
                "status": GroupStatus.REGRESSED,
                "regressed_at": datetime.now(UTC),
                "alert": "regressed",
            }
        },
        session=session,
    )
    audit.note(
        session,
        "regressed",
        audit.GROUP,
        group["_id"],
        by=ARCHIVER,
        reason=f"a message died of it in release {group['release']}",
        before={"status": group["status"], "fixed_in": group["fixed_in"]},
        after={"status": GroupStatus.REGRESSED},
    )
