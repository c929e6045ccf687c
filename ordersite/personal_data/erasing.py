"""Puts a pseudonym in a person's place, in everything that is kept of them.

Messages about them may still wait in a queue: whatever comes of those is erased by the scheduler,
which goes on for as long as any may come, and for as long as an invoice of theirs has to be kept.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import PyMongoError

from failed_messages.records import audit
from messaging.isolation import isolated
from messaging.outages import is_outage
from ordersite.personal_data.collection import erasures
from runtime.mongodb_clock import mongodb_now
from runtime.personal_data import SMALLEST_PSEUDONYM, Erased, Holding, Person, holdings
from runtime.transactions import in_transaction
from runtime.trouble import is_refused_by_mongodb

#: Longer than any message waits in a queue, for its retries or in an operator's hands.
MESSAGES_COME_FOR = timedelta(days=90)

REFUSED = (
    "MongoDB does not let this process change it; an administrator's login may: run "
    "manage.py personal_data erase with it"
)
UNREADABLE = (
    "a document is not as this release stores one, see the log; correct it, then erase again"
)
CANNOT_GO_ON = (
    "The data that came since of user %s cannot be erased, as the document in `erasures` is not as "
    "this release stores one; the others' are. Correct it, or run manage.py personal_data erase."
)

Outcome = dict[str, Erased]

log = logging.getLogger(__name__)


def erase(user_id: int, by: str) -> Outcome:
    """Erase what is kept of the user up to now; safe to repeat.

    Returns: what became of each kind of data, by its name.

    Raises:
        Outage, PyMongoError, DatabaseError: MongoDB did not answer; asking again goes on with it.
    """
    now = mongodb_now()
    known = erasures().find_one_and_update(
        {"_id": user_id},
        {
            "$set": {"at": now, "by": by},
            "$setOnInsert": {
                "pseudonym": SMALLEST_PSEUDONYM + secrets.randbelow(SMALLEST_PSEUDONYM),
                "remaining": 1,
            },
        },
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    assert known is not None  # as it is made where it is missing
    outcome = _erase(known, is_first=True)
    in_transaction(
        partial(audit.note, act="erase", subject=audit.PERSON, subject_id=known["pseudonym"],
                by=by, after=in_numbers(outcome))
    )  # fmt: skip
    return outcome


def erase_what_came_since() -> int:
    """Go on with every person whose data were asked to be erased; the scheduler runs this.

    Returns: how many documents it erased.
    """
    count = 0
    for known in erasures().find({"_id": {"$lt": SMALLEST_PSEUDONYM}}):
        with isolated(log, CANNOT_GO_ON, known["_id"]):
            count += _erase_since(known)
    return count


def _erase_since(known: Mapping[str, Any]) -> int:
    outcome = _erase(known, is_first=False)
    if came := sum(each.erased for each in outcome.values()):
        log.info("Erased %d documents that came since of person %s", came, known["pseudonym"])
    _forget(known, outcome)
    return came


def in_numbers(outcome: Mapping[str, Erased]) -> dict[str, Any]:
    """For the audit log."""
    counted = {
        name: {"erased": each.erased, "kept": each.kept, "left": each.left, "why": each.why}
        for name, each in outcome.items()
    }
    return {
        name: {key: value for key, value in each.items() if value}
        for name, each in counted.items()
        if any(each.values())
    }


def _erase(known: Mapping[str, Any], is_first: bool) -> Outcome:
    person = Person(int(known["_id"]), int(known["pseudonym"]), known["at"], is_first)
    outcome = {each.name: _erase_one(each, person) for each in holdings()}
    remaining = sum(each.kept + each.left for each in outcome.values())
    erasures().update_one({"_id": known["_id"]}, {"$set": {"remaining": remaining}})
    return outcome


def _erase_one(holding: Holding, person: Person) -> Erased:
    """One kind of data that this process may not change, or cannot read, must not keep the others.

    Raises:
        Exception: MongoDB did not answer.
    """
    try:
        return holding.erase(person)
    except Exception as error:
        cause = error if isinstance(error, PyMongoError) else error.__cause__
        if isinstance(cause, PyMongoError) and is_refused_by_mongodb(cause):
            return Erased(left=1, why=REFUSED)
        if is_outage(error):
            raise
        log.exception("Of person %s not all %s can be erased", person.pseudonym, holding.name)
        return Erased(left=1, why=UNREADABLE)


def _forget(known: Mapping[str, Any], outcome: Outcome) -> None:
    """Once nothing can come any more nobody has to know who it was."""
    is_over = mongodb_now() - known["at"] > MESSAGES_COME_FOR
    if is_over and not any(each.kept or each.left for each in outcome.values()):
        kept = {name: value for name, value in known.items() if name != "_id"} | {"remaining": 0}
        erasures().replace_one({"_id": known["pseudonym"]}, kept, upsert=True)
        erasures().delete_one({"_id": known["_id"]})
