"""Failed messages, and what their groups show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from failed_messages.archiving.dead_letter import PREVIEW_LIMIT_CHARS
from failed_messages.models import FailedMessage
from failed_messages.personal_data.scrubbing import (
    body_as_user,
    scrubbed_body,
    scrubbed_foreign_body,
    scrubbed_json,
    scrubbed_table,
    without_reason,
)
from failed_messages.reading.representation import full
from failed_messages.records.collection import failed_messages, failure_groups
from messaging.personal_data import placed_by_then
from messaging.storable import text
from runtime.personal_data import (
    Erased,
    Person,
    each_naming,
    has_number,
    naming,
    naming_as_user,
    scrubbed,
    scrubbed_as_user,
    scrubbed_text,
)

Record = dict[str, Any]

#: Free words, with errors in them that may name the user.
WORDS = (
    *("preview", "message", "error_text", "job_detail", "discard_reason"),
    *("correlation_id",),
)
#: JSON text.
JSON = ("properties", "headers")
#: The same in lists.
IN_LISTS = ("certificates", "history.reason", "history.detail")
#: What a group shows of its newest error, and what the operators noted.
OF_GROUPS = ("example", "note")
#: The message whose `reason` is the customer's own words.
CANCELLED = "order.cancelled"


def export(user_id: int) -> Iterator[dict[str, Any]]:
    for record in FailedMessage.objects.filter(user_id=str(user_id)):
        yield dict(full(record))


def erase(person: Person) -> Erased:
    """Put the pseudonym into records, their bodies and certificates, and groups' examples."""
    erased = 0
    for record in failed_messages().find(_theirs(person)):
        erased += _erase(record, person)
    if person.is_first:
        for record in failed_messages().find({"user_id": ""}):
            if change := _naming(record, person):
                erased += _change(record, change)
        for record in each_naming(failed_messages(), _told_of_others(person)):
            erased += _change(record, _told_as_user(record, person))
        # Their messages may have been deleted since.
        for group in failure_groups().find(naming(OF_GROUPS, person.user_id)):
            _erase_words(group, person)
    return Erased(erased=erased)


def _theirs(person: Person) -> Record:
    """Records of the user that failed up to then, or later about an order of then."""
    of_then = {"order_id": placed_by_then(person)}
    failed_then = {"first_failed_at": {"$lte": person.until}}
    mine = {"$in": [str(person.user_id)]}
    # It died again since: what came back has the number in it once more.
    again = {"user_id": str(person.pseudonym), "headers": {"$regex": rf"\b{person.user_id}\b"}}
    return {"$or": [{"user_id": mine, "$or": [failed_then, of_then]}, again]}


def _erase(record: Record, person: Person) -> int:
    # The digest stays: by it a message that is delivered again is known for this record.
    body = scrubbed_body(bytes(record["body"]), person)
    change = {"user_id": str(person.pseudonym), "body": body, **_told(record, person)}
    if record["type"] == CANCELLED:
        change["body"] = without_reason(body)
        change["preview"] = text(change["body"], PREVIEW_LIMIT_CHARS)
    if group := failure_groups().find_one({"_id": record["fingerprint"]}):
        _erase_words(group, person)
    return _change(record, change)


def _change(record: Record, change: Record) -> int:
    """Not what another death of the message has written since: that is for the next run."""
    same = {"_id": record["_id"], "last_failed_at": record["last_failed_at"]}
    return failed_messages().update_one(same, {"$set": change}).modified_count


def _naming(record: Record, person: Person) -> Record:
    """What changes of a message that names no user of ours, and may be about the person: its body
    is unreadable or another program's, or it failed with an error that names them.
    """
    change: Record = {}
    before = bytes(record["body"])
    # As latin-1 any bytes are text.
    if has_number(before.decode("latin-1"), person):
        after = scrubbed_foreign_body(before, person)
        change |= {"body": after} if after != before else {}
    told = [record.get(each) or "" for each in (*WORDS, *JSON)] + record["certificates"]
    told += [line[each] for line in record["history"] for each in ("reason", "detail")]
    if any(has_number(each, person) for each in told):
        change |= _told(record, person)
    return change


def _told_of_others(person: Person) -> Record:
    """Finds records of other users that tell the number as a user's; other numbers stay."""
    others = {"user_id": {"$nin": ["", str(person.user_id), str(person.pseudonym)]}}
    return {**others, **naming_as_user((*WORDS, *JSON, *IN_LISTS), person.user_id)}


def _told_as_user(record: Record, person: Person) -> Record:
    """What a record of another user tells, with the pseudonym where it calls the person so."""
    change: Record = {
        **{each: scrubbed_as_user(record.get(each) or "", person) for each in (*WORDS, *JSON)},
        "certificates": [scrubbed_as_user(each, person) for each in record["certificates"]],
        "history": [_as_user(each, person) for each in record["history"]],
    }
    if change["preview"] != record["preview"]:
        change["body"] = body_as_user(bytes(record["body"]), person)
    if change["headers"] != record["headers"]:
        # The same in AMQP's own form.
        change["header_table"] = None
    return change


def _as_user(line: Record, person: Person) -> Record:
    told = {name: scrubbed_as_user(line[name], person) for name in ("reason", "detail")}
    return {**line, **told}


def _told(record: Record, person: Person) -> Record:
    """What a record tells of its message and its failures, with the pseudonym."""
    return {
        **{name: scrubbed_text(record[name], person) for name in WORDS if record.get(name)},
        **{name: scrubbed_json(record[name], person) for name in JSON},
        "certificates": [scrubbed_json(each, person) for each in record["certificates"]],
        "history": scrubbed(record["history"], person),
        "header_table": scrubbed_table(record.get("header_table"), person),
    }


def _erase_words(group: Record, person: Person) -> None:
    """What a group says of the person."""
    for name in OF_GROUPS:
        if (words := scrubbed_text(group[name], person)) != group[name]:
            # Not what an operator, or the next error, has written since.
            failure_groups().update_one(
                {"_id": group["_id"], name: group[name]}, {"$set": {name: words}}
            )
