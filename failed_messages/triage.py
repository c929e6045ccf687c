"""Triage: what operators find out about a failure group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

from failed_messages import audit
from failed_messages.collection import failure_groups
from failed_messages.models import GroupStatus
from messaging.plain import text
from messaging.transactions import in_transaction

LIMITS_CHARS = {"owner": 150, "note": 5_000, "link": 500, "status": 30, "fixed_in": 100}
#: Only the archiver says that a group is regressed.
STATUSES = [
    str(each) for each in (GroupStatus.NEW, GroupStatus.UNDER_INVESTIGATION, GroupStatus.FIXED)
]


class InvalidTriage(ValueError):
    """A field of a group cannot be set to that; `field` names it."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail


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
        raise InvalidTriage("owner", f"say what to change: {', '.join(LIMITS_CHARS)}")
    if wanted.get("link") and urlsplit(wanted["link"]).scheme not in ("http", "https"):
        raise InvalidTriage("link", "it starts with https:// or http://")
    if "status" in wanted and wanted["status"] not in STATUSES:
        raise InvalidTriage("status", f"it is one of {', '.join(STATUSES)}")
    if wanted.get("status") == GroupStatus.FIXED and not wanted.get("fixed_in"):
        raise InvalidTriage("fixed_in", "name the release that mends it, e.g. 1.4.0")
    return wanted


def _text(name: str, value: Any) -> str:
    if name not in LIMITS_CHARS:
        raise InvalidTriage(text(name, 50), f"a group has {', '.join(LIMITS_CHARS)} to be set")
    if not isinstance(value, str):
        raise InvalidTriage(name, "it is text")
    if len(value) > LIMITS_CHARS[name]:
        raise InvalidTriage(name, f"it has at most {LIMITS_CHARS[name]} characters")
    return text(value.strip(), LIMITS_CHARS[name])
