"""What the audit log says of a person's messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection
from pymongo.collection import Collection

from failed_messages.models import AuditEntry, Subject
from failed_messages.personal_data.scrubbing import scrubbed_json
from failed_messages.records.collection import failed_messages
from runtime.personal_data import Erased, Person, each_naming, naming, scrubbed_text

Record = dict[str, Any]

#: What the audit log keeps of an act.
OF_ENTRIES = ("before", "after", "reason")


def export(user_id: int) -> Iterator[dict[str, Any]]:
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


def erase(person: Person) -> Erased:
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
        "before": scrubbed_json(entry["before"], person),
        "after": scrubbed_json(entry["after"], person),
        "reason": scrubbed_text(entry["reason"], person),
    }
    if all(entry[name] == value for name, value in change.items()):
        return 0
    return _audit().update_one({"_id": entry["_id"]}, {"$set": change}).modified_count


def _audit() -> Collection[Record]:
    collection: Collection[Record] = connection.database[AuditEntry._meta.db_table]
    return collection
