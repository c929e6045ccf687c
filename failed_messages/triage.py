"""Triage: what operators find out about a failure group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

from failed_messages import audit
from failed_messages.collection import failure_groups
from failed_messages.invalid import Invalid
from failed_messages.models import GroupStatus
from messaging.plain import text
from messaging.transactions import in_transaction

LIMITS_CHARS = {"owner": 150, "note": 5_000, "link": 500, "status": 30, "fixed_in": 100}
#: Only the archiver says that a group is regressed.
STATUSES = [
    str(each) for each in (GroupStatus.NEW, GroupStatus.UNDER_INVESTIGATION, GroupStatus.FIXED)
]


class InvalidTriage(Invalid):
    """A field of a group cannot be set to that."""


def triage(fingerprint: str, changes: Mapping[str, str], by: str) -> bool:
    """Set what the operators know about a group.

    Args:
        changes: any of `owner`, `note`, `link`, `status` and `fixed_in`.

    Returns: False where there is no such group.

    Raises:
        InvalidTriage: a field is unknown, or its value is not one that it takes.
    """
    wanted = _checked(changes)
    return in_transaction(lambda session: _write(fingerprint, wanted, by, session))


def _write(fingerprint: str, wanted: dict[str, str], by: str, session: ClientSession) -> bool:
    before = failure_groups().find_one_and_update(
        {"_id": fingerprint},
        {"$set": wanted},
        return_document=ReturnDocument.BEFORE,
        session=session,
    )
    if before is None:
        return False
    changed = {name: value for name, value in wanted.items() if before[name] != value}
    if changed:
        audit.note(
            session,
            "triage",
            audit.GROUP,
            fingerprint,
            by=by,
            before={name: before[name] for name in changed},
            after=changed,
        )
    return True


def _checked(changes: Mapping[str, Any]) -> dict[str, str]:
    wanted = {name: _text(name, value) for name, value in changes.items()}
    if not wanted:
        fix = f"Say what to change: {', '.join(LIMITS_CHARS)}."
        raise InvalidTriage("owner", "must be there, or another field", fix)
    if wanted.get("link") and urlsplit(wanted["link"]).scheme not in ("http", "https"):
        fix = "Send for example https://issues.example.com/7, or nothing."
        raise InvalidTriage("link", "must start with https:// or http://", fix)
    if "status" in wanted and wanted["status"] not in STATUSES:
        fix = "Send one of them, or leave it out."
        raise InvalidTriage("status", f"must be one of {', '.join(STATUSES)}", fix)
    if wanted.get("status") == GroupStatus.FIXED and not wanted.get("fixed_in"):
        fix = "Name the release with the fix, e.g. 1.4.0."
        raise InvalidTriage("fixed_in", "must be there for this status", fix)
    return wanted


def _text(name: str, value: Any) -> str:
    if name not in LIMITS_CHARS:
        fix = f"A group has {', '.join(LIMITS_CHARS)} to be set."
        raise InvalidTriage(text(name, 50), "is not a known field", fix)
    if not isinstance(value, str):
        raise InvalidTriage(name, "must be text", "Send text.")
    if len(value) > LIMITS_CHARS[name]:
        detail = f"must have at most {LIMITS_CHARS[name]} characters"
        raise InvalidTriage(name, detail, "Shorten it.")
    return text(value.strip(), LIMITS_CHARS[name])
