"""Triage: what operators find out about a failure group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

from failed_messages.models import GroupStatus
from failed_messages.records import audit
from failed_messages.records.collection import failure_groups
from failed_messages.records.invalid_request import Invalid, refuse
from failed_messages.records.last_act import last_act
from messaging.storable import text
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
        Moved: a field that is to be changed is no longer what was shown.
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
        # Another program's group may lack it, and is shown without.
        now = before.get(name) or ""
        if now not in (shown[name], wanted[name]):
            # The transaction ends with it, so that nothing of it is written.
            fix = "Read it again, then save yours if you still want it."
            raise Moved(name, moved(fingerprint, name, now), fix)
    changed = {name: value for name, value in wanted.items() if before.get(name) != value}
    if changed:
        audit.note(
            session,
            "triage",
            audit.GROUP,
            fingerprint,
            by=by,
            before={name: before.get(name) for name in changed},
            after=changed,
        )
    return True


def moved(fingerprint: str, name: str, now: str) -> str:
    """`it was changed to "ben" (triage by anna, 2026-11-28 19:00:12 UTC)`."""
    who = f" ({act})" if (act := last_act(fingerprint, name)) else ""
    to = f'"{now}"' if now else "nothing"
    return f"it was changed to {to}{who} while your form was open"


def _checked(changes: Mapping[str, Any]) -> dict[str, str]:
    refuse(wrong_changes(changes))
    return {name: text(value.strip(), LIMITS_CHARS[name]) for name, value in changes.items()}


def wrong_changes(changes: Mapping[str, Any]) -> Iterator[InvalidTriage]:
    """What of the changes cannot be set."""
    yield from _wrong_fields(changes)
    yield from _wrong_together(changes)


def _wrong_fields(changes: Mapping[str, Any]) -> Iterator[InvalidTriage]:
    for name, value in changes.items():
        if name not in LIMITS_CHARS:
            fix = f"A group has {', '.join(LIMITS_CHARS)} to be set."
            yield InvalidTriage(text(name, 50), "must not be given: it is not a known field", fix)
        elif not isinstance(value, str):
            yield InvalidTriage(name, "must be text", "Send text.")
        elif len(value) > LIMITS_CHARS[name]:
            detail = f"must have at most {LIMITS_CHARS[name]} characters"
            yield InvalidTriage(name, detail, "Shorten it.")
        elif name == "link" and not _is_link(value.strip()):
            fix = "Send for example https://issues.example.com/7, or nothing."
            yield InvalidTriage(name, "must start with https:// or http://", fix)
        elif name == "status" and value.strip() not in STATUSES:
            fix = "Send one of them, or leave it out."
            yield InvalidTriage(name, f"must be one of {', '.join(STATUSES)}", fix)


def _wrong_together(changes: Mapping[str, Any]) -> Iterator[InvalidTriage]:
    if not changes:
        fix = f"Say what to change: {', '.join(LIMITS_CHARS)}."
        yield InvalidTriage("owner", "must be given, or another field", fix)
    status, fixed_in = (str(changes.get(name, "")).strip() for name in ("status", "fixed_in"))
    if status == GroupStatus.FIXED and not fixed_in:
        fix = "Name the release with the fix, e.g. 1.4.0."
        yield InvalidTriage("fixed_in", "must be given for this status", fix)


def _is_link(value: str) -> bool:
    try:
        return not value or urlsplit(value).scheme in ("http", "https")
    except ValueError:
        return False
