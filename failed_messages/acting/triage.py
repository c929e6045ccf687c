"""Triage: what operators find out about a failure group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

from failed_messages.models import GroupStatus
from failed_messages.records import audit
from failed_messages.records.collection import failure_groups
from failed_messages.records.invalid import Invalid
from failed_messages.records.last_act import last_act
from messaging.plain import text
from runtime.transactions import in_transaction

LIMITS_CHARS = {"owner": 150, "note": 5_000, "link": 500, "status": 30, "fixed_in": 100}
#: Only the archiver says that a group is regressed.
STATUSES = [
    str(each) for each in (GroupStatus.NEW, GroupStatus.UNDER_INVESTIGATION, GroupStatus.FIXED)
]


class InvalidTriage(Invalid):
    """A field of a group cannot be set to that."""


class Moved(InvalidTriage):
    """Another user has changed the field since it was shown; nothing was written."""


def triage(
    fingerprint: str, changes: Mapping[str, str], by: str, shown: Mapping[str, str] | None = None
) -> bool:
    """Set what the operators know about a group.

    Args:
        changes: any of `owner`, `note`, `link`, `status` and `fixed_in`.
        shown: what the fields were when the changes were decided on.

    Returns: False where there is no such group.

    Raises:
        InvalidTriage: a field is unknown, or its value is not one that it takes.
        Moved: a field that is to be changed is no more what was shown.
    """
    wanted = _checked(changes)
    return in_transaction(lambda session: _write(fingerprint, wanted, by, session, shown or {}))


def _write(
    fingerprint: str,
    wanted: dict[str, str],
    by: str,
    session: ClientSession,
    shown: Mapping[str, str],
) -> bool:
    before = failure_groups().find_one_and_update(
        {"_id": fingerprint},
        {"$set": wanted},
        return_document=ReturnDocument.BEFORE,
        session=session,
    )
    if before is None:
        return False
    for name in wanted.keys() & shown.keys():
        if before[name] not in (shown[name], wanted[name]):
            # The transaction ends with it, so that nothing of it is written.
            fix = "Read it again, then save yours if you still want it."
            raise Moved(name, moved(fingerprint, name, before[name]), fix)
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


def moved(fingerprint: str, name: str, now: str) -> str:
    """`it was changed to "ben" (triage by anna, 2026-11-28 19:00:12 UTC)`."""
    who = f" ({act})" if (act := last_act(fingerprint, name)) else ""
    to = f'"{now}"' if now else "nothing"
    return f"it was changed to {to}{who} while your form was open"


def _checked(changes: Mapping[str, Any]) -> dict[str, str]:
    wanted = {name: _text(name, value) for name, value in changes.items()}
    if not wanted:
        fix = f"Say what to change: {', '.join(LIMITS_CHARS)}."
        raise InvalidTriage("owner", "must be given, or another field", fix)
    if wanted.get("link") and urlsplit(wanted["link"]).scheme not in ("http", "https"):
        fix = "Send for example https://issues.example.com/7, or nothing."
        raise InvalidTriage("link", "must start with https:// or http://", fix)
    if "status" in wanted and wanted["status"] not in STATUSES:
        fix = "Send one of them, or leave it out."
        raise InvalidTriage("status", f"must be one of {', '.join(STATUSES)}", fix)
    if wanted.get("status") == GroupStatus.FIXED and not wanted.get("fixed_in"):
        fix = "Name the release with the fix, e.g. 1.4.0."
        raise InvalidTriage("fixed_in", "must be given for this status", fix)
    return wanted


def _text(name: str, value: Any) -> str:
    if name not in LIMITS_CHARS:
        fix = f"A group has {', '.join(LIMITS_CHARS)} to be set."
        raise InvalidTriage(text(name, 50), "must not be given: it is not a known field", fix)
    if not isinstance(value, str):
        raise InvalidTriage(name, "must be text", "Send text.")
    if len(value) > LIMITS_CHARS[name]:
        detail = f"must have at most {LIMITS_CHARS[name]} characters"
        raise InvalidTriage(name, detail, "Shorten it.")
    return text(value.strip(), LIMITS_CHARS[name])
