"""What is kept of a person in collections that no app of ours has to itself.

The admin's history: each app forgets what its own records were called; of those that were deleted
it knows nothing more. And the notes of retries: those of the person's orders go with the orders.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db import connection
from pymongo.collection import Collection

from messaging.handling import retry_notes
from orders.collection import orders
from runtime.batches import in_batches
from runtime.personal_data import (
    Erased,
    Holding,
    Person,
    each_naming,
    hold,
    naming,
    naming_as_user,
    scrubbed,
    scrubbed_as_user,
)

Document = dict[str, Any]

#: What the history says in words.
OF_HISTORY = ("object_repr", "change_message")
#: What a retry's note says in words, and the fields that these are in.
OF_NOTES = ("attempts.message", "stop.reason")
SAYING = ("attempts", "stop")
ORDERS_AT_ONCE = 100


def history() -> Collection[Document]:
    collection: Collection[Document] = connection.database[LogEntry._meta.db_table]
    return collection


def export_history(user_id: int) -> Iterator[Document]:
    yield from each_naming(history(), naming_as_user(OF_HISTORY, user_id))


def erase_history(person: Person) -> Erased:
    """Of most records that staff changed none is the person's: a number in a product's name stays.

    Only once, as no message that is still to come is told of there.
    """
    if not person.is_first:
        return Erased()
    then = {"action_time": {"$lte": person.until}}
    erased = 0
    named = {**naming_as_user(OF_HISTORY, person.user_id), **then}
    for found in each_naming(history(), named):
        told = {each: scrubbed_as_user(found[each], person) for each in OF_HISTORY}
        erased += history().update_one({"_id": found["_id"]}, {"$set": told}).modified_count
    return Erased(erased=erased)


def export_retries(user_id: int) -> Iterator[Document]:
    """Of no order of theirs: those are told of with the order."""
    yield from each_naming(retry_notes.notes(), _elsewhere(user_id))


def erase_retries(person: Person) -> Erased:
    """Notes about their orders, also those that came since; at first of other messages, too."""
    erased = sum(_erase_note(note, person) for note in _of_their_orders(person))
    if person.is_first:
        then = {"at": {"$lte": person.until}}
        found = each_naming(retry_notes.notes(), {**_elsewhere(person.user_id), **then})
        erased += sum(_erase_note(note, person) for note in found)
    return Erased(erased=erased)


def _of_their_orders(person: Person) -> Iterator[Document]:
    """The notes of orders that have the pseudonym already."""
    theirs = orders().find({"user_id": person.pseudonym}, {"_id": True})
    for batch in in_batches((str(each["_id"]) for each in theirs), ORDERS_AT_ONCE):
        yield from retry_notes.of_orders(batch, naming(OF_NOTES, person.user_id))


def _elsewhere(user_id: int) -> Document:
    """Finds notes that tell the number as a user's, or that have it and are about no order."""
    of_no_order = {"order_id": "", **naming(OF_NOTES, user_id)}
    return {"$or": [naming_as_user(OF_NOTES, user_id), of_no_order]}


def _erase_note(note: Document, person: Person) -> int:
    read = {each: note[each] for each in SAYING if each in note}
    change = {each: scrubbed(value, person) for each, value in read.items()}
    # Not what the next attempt, or an operator, has written since: that is for the next run.
    same = {"_id": note["_id"], **read}
    return retry_notes.notes().update_one(same, {"$set": change}).modified_count


hold(
    Holding(
        "admin history",
        "What staff changed of what is called by their number",
        export_history,
        erase_history,
    )
)
hold(
    Holding(
        "retries",
        "Errors that name them, of messages that are tried again",
        export_retries,
        erase_retries,
    )
)
