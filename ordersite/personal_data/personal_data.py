"""What is kept of a person in collections that no app of ours has to itself.

The admin's history: each app forgets what its own records were called; of those that were deleted
it knows nothing more. And the notes of retries: those of the person's orders go with the orders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db import connection
from pymongo.collection import Collection

from messaging.handling import retry_notes
from runtime.personal_data import Erased, Holding, Person, hold, naming, scrubbed

Find = Callable[[], Collection[dict[str, Any]]]


def history() -> Collection[dict[str, Any]]:
    collection: Collection[dict[str, Any]] = connection.database[LogEntry._meta.db_table]
    return collection


def hold_words(name: str, what: str, find: Find, searched: tuple[str, ...]) -> None:
    """Hold words that may name the person, in these fields of a collection.

    Args:
        searched: the fields' paths; what else is in their first part is looked at, too.
    """
    fields = {each.partition(".")[0] for each in searched}

    def export(user_id: int) -> Iterator[dict[str, Any]]:
        yield from find().find(naming(searched, user_id))

    def erase(person: Person) -> Erased:
        erased = 0
        for found in find().find(naming(searched, person.user_id)):
            change = {each: scrubbed(found[each], person) for each in fields if each in found}
            erased += find().update_one({"_id": found["_id"]}, {"$set": change}).modified_count
        return Erased(erased=erased)

    hold(Holding(name, what, export, erase))


hold_words(
    "admin history",
    "What staff changed of what is called by their number",
    history,
    ("object_repr", "change_message"),
)
hold_words(
    "retries",
    "Errors that name them, of messages that are tried again",
    retry_notes.notes,
    ("attempts.message", "stop.reason"),
)
