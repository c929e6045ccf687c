"""Edit and replay: a corrected copy goes to the service, the original is kept unchanged."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from failed_messages.acting.replay import replay
from failed_messages.acting.second_person import EDIT, ask_if_needed
from failed_messages.acting.unchangeable import (
    Changed,
    check_has_effect,
    check_ordered,
    check_unchanged,
)
from failed_messages.archiving.dead_letter import preview_of
from failed_messages.models import Status
from failed_messages.reading.act_result import ReasonMissing, Verdict, record_id, refusal
from failed_messages.reading.next_step import handler_of
from failed_messages.records import audit
from failed_messages.records.collection import failed_messages
from failed_messages.records.history import act
from messaging.errors import InvalidMessage
from messaging.incoming import check_size, json_object
from messaging.message import CONTENT_TYPE
from messaging.service import services
from messaging.storable import text, whole_text
from messaging.trust.contents import check_edited
from runtime.indented_json import compact, indented
from runtime.mongodb_clock import mongodb_now
from runtime.transactions import in_transaction

#: What the audit log keeps of a body; the records keep all of it.
AUDITED_CHARS = 10_000


class InvalidEdit(ValueError):
    """The edited body cannot be sent: its handler would refuse it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a diff."""

    #: `+`, `-`, `@` or a space.
    sign: str
    text: str


def check(service: str, type_: str, body: str) -> bool:
    """See whether the service's handler can take the body, and nothing that is stored denies it.

    Returns: whether anything is stored that it could be compared with.

    Raises:
        InvalidEdit: it cannot, or there is no handler; the text names the field.
    """
    handler = handler_of(service, type_)
    if handler is None:
        raise InvalidEdit(
            f"{service} has no handler for {type_ or 'a message without a type'}, so that a copy "
            "would fail in the same way"
        )
    try:
        raw = body.encode()
        check_size(raw)
        decoded = json_object(raw)
        if handler.validate is not None:
            handler.validate(decoded)
        return check_edited(type_ or services()[service].plain_messages_are or "", decoded)
    except (InvalidMessage, UnicodeEncodeError) as error:
        raise InvalidEdit(str(error)) from error


def check_edit(record: Mapping[str, Any], body: str) -> None:
    """See whether an edited copy of the record can be sent.

    Args:
        record: the failed message's `service`, `type`, `body` and `order_id`.

    Raises:
        InvalidEdit: its handler would refuse it, or it changes the order or its money, or what was
            ordered where that is stored nowhere; the text names the field.
    """
    is_stored = check(record["service"], record["type"], body)
    try:
        original, edited = bytes(record["body"]), body.encode()
        check_unchanged(original, record["order_id"], edited)
        if is_stored:
            check_has_effect(original, edited)
        else:
            check_ordered(original, edited)
    except Changed as error:
        raise InvalidEdit(str(error)) from error


def editable(body: bytes) -> str:
    """The body as an operator edits it: indented JSON where it is JSON."""
    shown = indented(body)
    return whole_text(body) if shown is None else shown


def diff(original: bytes, edited: str) -> list[Line]:
    """What the edit changes, in lines of indented JSON."""
    try:
        after = editable(edited.encode())
    except UnicodeEncodeError:
        after = edited
    lines = difflib.unified_diff(
        editable(original).splitlines(), after.splitlines(), "original", "edited", lineterm=""
    )
    return [Line(line[:1], line[1:]) for line in list(lines)[2:]]


def edit_and_replay(
    id_: str | ObjectId, body: str, by: str, reason: str, approved: bool = False
) -> Verdict:
    """Store a copy with another body, set the original aside, and replay the copy.

    Args:
        approved: whether a second person has approved it already.

    Returns: what became of the copy, under the copy's id; a refusal under the original's.

    Raises:
        InvalidEdit: the handler would not take the body, or nothing was edited.
        ReasonMissing: `reason` is empty.
        Waits: a second person has to approve it first.
    """
    reason = reason.strip()
    if not reason:
        raise ReasonMissing(
            "reason: must be given to edit, e.g. 'the publisher left out the unit price'"
        )
    original = failed_messages().find_one({"_id": record_id(id_), "status": Status.FAILED})
    if original is None or original["body_cut"]:
        return refusal(id_, "replay")
    check_edit(original, body)
    if compact(body.encode()) == compact(bytes(original["body"])):
        raise InvalidEdit("nothing was edited; replay the message as it is")
    if not approved:
        ask_if_needed(EDIT, 1, by, reason, id=str(original["_id"]), body=body)
    return _store_and_replay(original, _copy(original, body, by, reason), by, reason)


def _store_and_replay(
    original: dict[str, Any], copy: dict[str, Any], by: str, reason: str
) -> Verdict:
    try:
        stored = in_transaction(partial(_store, original, copy, by, reason))
    except DuplicateKeyError as error:
        raise InvalidEdit("a message with this very body is stored already") from error
    if not stored:
        return refusal(original["_id"], "edit")
    return replay([copy["_id"]], by, reason, approved=True)[0]


def _store(
    original: dict[str, Any], copy: dict[str, Any], by: str, reason: str, session: ClientSession
) -> bool:
    after = {
        "status": Status.DISCARDED,
        "discarded_at": mongodb_now(),
        "discarded_by": text(by, 150),
        "discard_reason": text(f"replaced by the edited copy {copy['_id']}: {reason}", 1_000),
    }
    updated = failed_messages().update_one(
        {"_id": original["_id"], "status": Status.FAILED},
        {
            "$set": after,
            "$push": {
                "edited_as": copy["_id"],
                "history": act("edit", by, reason, f"its edited copy is {copy['_id']}"),
            },
        },
        session=session,
    )
    if not updated.modified_count:
        return False
    failed_messages().insert_one(copy, session=session)
    was = {"status": Status.FAILED, "body": _audited(bytes(original["body"]))}
    is_ = {"status": Status.DISCARDED, "copy": str(copy["_id"]), "body": _audited(copy["body"])}
    audit.note(
        session, "edit", audit.MESSAGE, original["_id"],
        by=by, reason=reason, before=was, after=is_,
    )  # fmt: skip
    return True


def _copy(original: dict[str, Any], body: str, by: str, reason: str) -> dict[str, Any]:
    raw = body.encode()
    return {
        **original,
        "_id": ObjectId(),
        "parent": original["_id"],
        "edited_as": [],
        "body": raw,
        "body_bytes": len(raw),
        "body_digest": hashlib.sha256(raw).hexdigest(),
        "preview": preview_of(raw),
        # It is JSON now, whatever the original was said to be.
        "content_type": CONTENT_TYPE,
        "properties": _without_encoding(original["properties"]),
        "scheduled_replays": 0,
        "job": None,
        "job_state": "",
        "job_detail": "",
        "replay": None,
        "unacknowledged": None,
        "history": [act("edited copy", by, reason, f"of {original['_id']}")],
    }


def _without_encoding(properties: str) -> str:
    """The properties of an edited body: it is UTF-8 now."""
    kept: dict[str, Any] = json.loads(properties)
    kept.pop("content_encoding", None)
    return json.dumps(kept, ensure_ascii=False)


def _audited(body: bytes) -> str:
    return text(body, AUDITED_CHARS)
