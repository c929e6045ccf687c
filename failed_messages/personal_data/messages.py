"""What is kept of a person here: failed messages, and what the audit log says of those."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from django.db import connection
from pymongo.collection import Collection

from failed_messages.archiving.dead_letter import PREVIEW_LIMIT_CHARS
from failed_messages.models import AuditEntry, FailedMessage, Subject
from failed_messages.reading.act_result import record_id
from failed_messages.reading.representation import full
from failed_messages.records.collection import (
    discard_jobs,
    failed_messages,
    failure_groups,
    pending_acts,
    replay_jobs,
)
from messaging.adapters.py_amqp import decode_table, encode_table
from messaging.personal_data import placed_by_then
from messaging.storable import text
from runtime.mongodb_clock import mongodb_now
from runtime.personal_data import (
    SMALLEST_PSEUDONYM,
    Erased,
    Holding,
    Person,
    each_naming,
    hold,
    names_user,
    naming,
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
#: What a group shows of its newest error, and what the operators noted.
OF_GROUPS = ("example", "note")
#: What the audit log keeps of an act.
OF_ENTRIES = ("before", "after", "reason")
#: The message whose `reason` is the customer's own words.
CANCELLED = "order.cancelled"


class Acts(NamedTuple):
    """A collection of what staff asked for; each has a time `at`."""

    collection: Callable[[], Collection[Record]]
    #: Free words.
    words: tuple[str, ...]
    #: Whether it has `arguments`, JSON text, in place of a `selection`.
    has_arguments: bool = False

    def naming(self, user_id: int) -> Record:
        """Finds those that have the user's number, whatever it is in them."""
        return naming(self.fields, user_id)

    @property
    def fields(self) -> tuple[str, ...]:
        """All that may have it."""
        return (*self.words, "arguments" if self.has_arguments else "selection")


ACTS = (
    Acts(pending_acts, ("reason", "outcome"), has_arguments=True),
    Acts(replay_jobs, ("reason", "why")),
    Acts(discard_jobs, ("reason", "why")),
)
#: Filters whose value may be a user's number, and those that are words.
OF_USER, IN_WORDS = ("userId", "q"), ("q", "error")


def export(user_id: int) -> Iterator[dict[str, Any]]:
    for record in FailedMessage.objects.filter(user_id=str(user_id)):
        yield dict(full(record))


def erase(person: Person) -> Erased:
    """Put the pseudonym into records, their bodies and certificates, and groups' examples."""
    erased = 0
    for record in failed_messages().find(_theirs(person)):
        erased += _erase(record, person)
    if person.is_first:
        # A message that names no user failed with an error that does.
        for record in failed_messages().find({"user_id": "", **naming(WORDS, person.user_id)}):
            erased += _erase_words_of(record, person)
        # Their messages may have been deleted since.
        for group in failure_groups().find(naming(OF_GROUPS, person.user_id)):
            _erase_words(group, person)
    return Erased(erased=erased)


def export_acts(user_id: int) -> Iterator[dict[str, Any]]:
    # What erasing would change is theirs; other people's acts have such numbers, too.
    person = Person(user_id, SMALLEST_PSEUDONYM, mongodb_now())
    for each in ACTS:
        found = each.collection().find(each.naming(user_id))
        yield from (asked for asked in found if _changed(each, asked, person))


def erase_acts(person: Person) -> Erased:
    """What staff asked for about the person, or with their messages' bodies.

    Of an act about others, or about many, a number stays that is not told as a user's, as in "500
    timeouts": a bulk replay that runs selects by its text.
    """
    return Erased(erased=sum(_erase_asked(each, person) for each in ACTS))


def _erase_asked(acts: Acts, person: Person) -> int:
    erased = 0
    # What was asked for since has the pseudonym.
    then = {"at": {"$lte": person.until}}
    for asked in acts.collection().find({**acts.naming(person.user_id), **then}):
        if change := _changed(acts, asked, person):
            erased += (
                acts.collection().update_one({"_id": asked["_id"]}, {"$set": change}).modified_count
            )
    return erased


def _changed(acts: Acts, asked: Record, person: Person) -> Record:
    """The fields that name the person, with the pseudonym."""
    try:
        return _changed_as_stored(acts, asked, person)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        # It is unlike what this release stores, so that whom it is about cannot be told; with their
        # number left in it nobody could say that the person's data were erased.
        named = {name: asked[name] for name in acts.fields if name in asked}
        change = {name: scrubbed(value, person) for name, value in named.items()}
        return {name: value for name, value in change.items() if value != named[name]}


def _changed_as_stored(acts: Acts, asked: Record, person: Person) -> Record:
    arguments = _arguments_of(acts, asked)
    is_theirs = _is_theirs(arguments, person)
    in_words = scrubbed_text if is_theirs else scrubbed_as_user
    change: Record = {name: in_words(asked[name], person) for name in acts.words}
    if acts.has_arguments:
        if (scrubbed_too := _scrubbed_arguments(arguments, person, is_theirs)) != arguments:
            change["arguments"] = json.dumps(scrubbed_too)
    else:
        change["selection"] = _scrubbed_selection(asked["selection"], person)
    return {name: value for name, value in change.items() if value != asked[name]}


def _arguments_of(acts: Acts, asked: Record) -> Record:
    """What an act was called with; of a bulk job its selection alone."""
    if not acts.has_arguments:
        return {"selection": asked["selection"]}
    arguments: Record = json.loads(asked["arguments"])
    return arguments


def _selections_of(arguments: Record) -> list[str]:
    """Each filter, of which a bulk discard's text has several, one a line."""
    return [*arguments.get("selections", []), *arguments.get("selection", "").split("\n")]


def _is_theirs(arguments: Record, person: Person) -> bool:
    """Whether an act is about this person alone."""
    number = str(person.user_id)
    chosen = [pair for each in _selections_of(arguments) for pair in parse_qsl(each)]
    if any((name, number) in chosen for name in OF_USER):
        return True
    with suppress(ValueError, RecursionError):
        if names_user(json.loads(arguments.get("body", "")), person.user_id):
            return True
    ids = [record_id(each) for each in arguments.get("ids", [arguments.get("id", "")])]
    mine = {"_id": {"$in": ids}, "user_id": {"$in": [number, str(person.pseudonym)]}}
    return len(set(ids)) == failed_messages().count_documents(mine)


def _scrubbed_arguments(arguments: Record, person: Person, is_theirs: bool) -> Record:
    change = dict(arguments)
    if "selection" in change:
        change["selection"] = _scrubbed_selection(change["selection"], person)
    if "selections" in change:
        change["selections"] = [_scrubbed_selection(each, person) for each in change["selections"]]
    if is_theirs and "body" in change:
        change["body"] = _scrubbed_text_in("body", change["body"], person)
    return change


def _scrubbed_selection(selection: str, person: Person) -> str:
    """Filters, one a line, of which only what names the person changes."""
    return "\n".join(_scrubbed_filter(each, person) for each in selection.split("\n"))


def _scrubbed_filter(filter_: str, person: Person) -> str:
    pairs = parse_qsl(filter_, keep_blank_values=True)
    change = [(name, _scrubbed_value(name, value, person)) for name, value in pairs]
    return filter_ if change == pairs else urlencode(change)


def _scrubbed_value(name: str, value: str, person: Person) -> str:
    if name in OF_USER and value == str(person.user_id):
        return str(person.pseudonym)
    return scrubbed_as_user(value, person) if name in IN_WORDS else value


def export_audit(user_id: int) -> Iterator[dict[str, Any]]:
    of_person = {"subject": Subject.PERSON, "subject_id": str(user_id)}
    given = set()
    for entry in _audit().find({"$or": [of_person, _of_messages([str(user_id)])]}):
        given.add(entry["_id"])
        yield entry
    yield from (
        each
        for each in each_naming(_audit(), naming(OF_ENTRIES, user_id))
        if each["_id"] not in given
    )


def erase_audit(person: Person) -> Erased:
    """Entries about the person, and what entries about messages keep of bodies and errors."""
    of_person = {"subject": Subject.PERSON, "subject_id": str(person.user_id)}
    # Where nothing is left to change nothing is asked for that MongoDB would refuse.
    of_them = [each["_id"] for each in _audit().find(of_person, {"_id": True})]
    if of_them:
        now = {"$set": {"subject_id": str(person.pseudonym)}}
        _audit().update_many({"_id": {"$in": of_them}}, now)
    of_messages = _of_messages([str(person.user_id), str(person.pseudonym)])
    erased = sum(_erase_entry(entry, person) for entry in _audit().find(of_messages))
    if person.is_first:
        # What retention has deleted left its trace.
        named = each_naming(_audit(), naming(OF_ENTRIES, person.user_id))
        erased += sum(_erase_entry(entry, person) for entry in named)
    return Erased(erased=len(of_them) + erased)


def _of_messages(numbers: list[str]) -> Record:
    """Finds the entries about these users' messages."""
    records = failed_messages().find({"user_id": {"$in": numbers}}, {"_id": True})
    ids = [str(record["_id"]) for record in records]
    return {"subject": Subject.MESSAGE, "subject_id": {"$in": ids}}


def _erase_entry(entry: Record, person: Person) -> int:
    change = {
        "before": _scrubbed_json(entry["before"], person),
        "after": _scrubbed_json(entry["after"], person),
        "reason": scrubbed_text(entry["reason"], person),
    }
    if all(entry[name] == value for name, value in change.items()):
        return 0
    return _audit().update_one({"_id": entry["_id"]}, {"$set": change}).modified_count


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
    changed = failed_messages().update_one(
        {"_id": record["_id"], "last_failed_at": record["last_failed_at"]}, {"$set": change}
    )
    return changed.modified_count


def _erase_words_of(record: Record, person: Person) -> int:
    """What is told of a failure that may be about anybody."""
    changed = failed_messages().update_one(
        {"_id": record["_id"], "last_failed_at": record["last_failed_at"]},
        {"$set": _told(record, person)},
    )
    return changed.modified_count


def _told(record: Record, person: Person) -> Record:
    """What a record tells of its message and its failures, with the pseudonym."""
    return {
        **{name: scrubbed_text(record[name], person) for name in WORDS if record.get(name)},
        **{name: _scrubbed_json(record[name], person) for name in JSON},
        "certificates": [_scrubbed_json(each, person) for each in record["certificates"]],
        "history": scrubbed(record["history"], person),
        "header_table": _scrubbed_table(record.get("header_table"), person),
    }


def _erase_words(group: Record, person: Person) -> None:
    """What a group says of the person."""
    for name in OF_GROUPS:
        if (words := scrubbed_text(group[name], person)) != group[name]:
            # Not what an operator, or the next error, has written since.
            failure_groups().update_one(
                {"_id": group["_id"], name: group[name]}, {"$set": {name: words}}
            )


def without_reason(body: bytes) -> bytes:
    """A cancellation's body without the customer's words; all of it goes where it is not JSON."""
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        return b""
    if not isinstance(decoded, dict) or decoded.pop("reason", None) is None:
        return body
    return json.dumps(decoded, ensure_ascii=False).encode("utf-8", "surrogatepass")


def scrubbed_body(body: bytes, person: Person) -> bytes:
    """A body's JSON with the pseudonym; or its text, where it is not JSON."""
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "surrogateescape")
        return scrubbed_text(text, person).encode("utf-8", "surrogateescape")
    return json.dumps(scrubbed(decoded, person), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def _scrubbed_json(text: str, person: Person) -> str:
    """JSON text, in which a text may be JSON again, as the body that an edit changed."""
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        return scrubbed_text(text, person)
    if isinstance(decoded, dict):
        decoded = {
            name: _scrubbed_text_in(name, each, person)
            if _is_json(each)
            else scrubbed(each, person)
            for name, each in scrubbed({"": decoded}, person)[""].items()
        }
    else:
        decoded = scrubbed(decoded, person)
    return json.dumps(decoded, ensure_ascii=False)


def _scrubbed_text_in(name: str, text: str, person: Person) -> str:
    """JSON text under a name; a message's body also loses the words of a cancellation."""
    if name == "body":
        wordless = without_reason(text.encode("utf-8", "surrogatepass"))
        text = wordless.decode("utf-8", "surrogatepass") or text
    return _scrubbed_json(text, person)


def _is_json(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip().startswith("{")


def _scrubbed_table(table: bytes | None, person: Person) -> bytes | None:
    """The message's headers in AMQP's own form; None where they cannot be written again."""
    if table is None:
        return None
    try:
        return encode_table(scrubbed(decode_table(bytes(table)), person))
    except Exception:
        # It was a publisher's; the same headers are kept as JSON, too.
        return None


def _audit() -> Collection[Record]:
    collection: Collection[Record] = connection.database[AuditEntry._meta.db_table]
    return collection


hold(Holding("failed messages", "Messages about them that a service gave up", export, erase))
hold(
    Holding(
        "acts",
        "What staff asked for about them: acts to approve, bulk replays",
        export_acts,
        erase_acts,
    )
)
hold(
    Holding(
        "audit log",
        "What was done to those messages, what names them, and when their data were given out",
        export_audit,
        erase_audit,
    )
)
