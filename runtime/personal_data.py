"""What is kept of a person: each app says it for itself, and the site exports and erases it all.

An app has a module `personal_data`, which is imported at the start and calls `hold`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any

from pymongo.collection import Collection

from runtime.batches import in_batches

#: Names of fields that hold a user's number, in documents and in messages.
USER_FIELDS = {"user_id", "userId", "customerId", "customer_id"}
#: Documents of a large collection that one query reads.
READ_AT_ONCE = 2_000

#: Numbers that no shop gives to a user, and that JavaScript can count to.
SMALLEST_PSEUDONYM = 2**52
#: For an update's pipeline: one that no other document has.
ANY_PSEUDONYM = {
    "$toLong": {
        "$add": [
            SMALLEST_PSEUDONYM,
            {"$floor": {"$multiply": [{"$rand": {}}, SMALLEST_PSEUDONYM]}},
        ]
    }
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose data are to be erased."""

    user_id: int
    #: What stands in the user's place; a number like theirs that is nobody's.
    pseudonym: int
    #: What was ordered up to then is erased, whenever it is stored; what comes later is new.
    until: datetime
    #: Whether to search everywhere; what came since is found by what it is about.
    is_first: bool = True


@dataclass(frozen=True, slots=True)
class Erased:
    """What became of one kind of data."""

    erased: int = 0
    #: Kept, as the law wants it; `why` says until when.
    kept: int = 0
    #: To be erased yet; the scheduler goes on with it, and `why` says what it waits for.
    left: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Holding:
    """One kind of data that is kept of people."""

    name: str
    #: What it is, for the person and for the operator.
    what: str
    #: Everything of a user, as documents.
    export: Callable[[int], Iterable[Mapping[str, Any]]]
    #: Safe to repeat.
    erase: Callable[[Person], Erased]
    #: Takes the customer out of what was settled before then; returns how many documents it was.
    forget: Callable[[datetime], int] | None = None


_holdings: dict[str, Holding] = {}


def hold(holding: Holding) -> None:
    """Say that the app keeps this."""
    _holdings[holding.name] = holding


def holdings() -> list[Holding]:
    """All of them, by name."""
    return [_holdings[name] for name in sorted(_holdings)]


def naming(names: Iterable[str], user_id: int) -> dict[str, Any]:
    """Finds the documents of which one of these texts names the user."""
    number = {"$regex": rf"\b{user_id}\b"}
    return {"$or": [{name: number} for name in names]}


def naming_as_user(names: Iterable[str], user_id: int) -> dict[str, Any]:
    """The same where a text tells the number as a user's: in "user 500", not in "500 sheets"."""
    told = {"$regex": _as_user(user_id), "$options": "i"}
    return {"$or": [{name: told} for name in names]}


def each_naming(
    collection: Collection[dict[str, Any]], named: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """The documents of a large collection that such a filter finds.

    No index finds a number in words, so all of them are read. Each query reads some: one that
    reads a whole audit log takes longer than a connection waits for an answer.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    by_id = "_id_"
    ids = collection.find({}, {"_id": True}, hint=by_id)
    starts = [some[0]["_id"] for some in in_batches(ids, READ_AT_ONCE)]
    for start, end in zip_longest(starts, starts[1:]):
        # Unlike $gte and $lt, these also find ids of another type between the two.
        lowest, beyond = {"_id": start}, None if end is None else {"_id": end}
        yield from collection.find(named, hint=by_id, min=lowest, max=beyond)


def scrubbed(value: Any, person: Person) -> Any:
    """The value with the pseudonym wherever the user's number stands in a user's place.

    Other numbers stay: a quantity of 101 is not the user 101. In words each number that is the
    user's is taken for it, as in "no card of user 101".
    """
    if isinstance(value, Mapping):
        return {
            name: _in_place_of(item, person) if name in USER_FIELDS else scrubbed(item, person)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [scrubbed(each, person) for each in value]
    return scrubbed_text(value, person) if isinstance(value, str) else value


def names_user(value: Any, user_id: int) -> bool:
    """Whether the user's number stands in a user's place in the value."""
    if isinstance(value, Mapping):
        return any(
            str(item) == str(user_id) if name in USER_FIELDS else names_user(item, user_id)
            for name, item in value.items()
        )
    return isinstance(value, list) and any(names_user(each, user_id) for each in value)


def scrubbed_text(text: str, person: Person) -> str:
    return re.sub(_in_words(person.user_id), str(person.pseudonym), text)


def has_number(text: str, person: Person) -> bool:
    """Whether `scrubbed_text` would change the text."""
    return re.search(_in_words(person.user_id), text) is not None


def scrubbed_as_user(text: str, person: Person) -> str:
    """The text with the pseudonym where the number is told as a user's; see `naming_as_user`."""
    return re.sub(_as_user(person.user_id), rf"\g<1>{person.pseudonym}", text, flags=re.IGNORECASE)


def _in_words(user_id: int) -> str:
    return rf"(?<![\w.]){user_id}(?!\w|\.\d)"


def _as_user(user_id: int) -> str:
    """For Python and for MongoDB: what leads up to the number is the first group."""
    called = r"(?:user|customer)(?:'s)?(?:[ _]?(?:id|number))?"
    return rf"\b({called}\W{{1,6}}){user_id}(?!\w|\.\d)"


def _in_place_of(value: Any, person: Person) -> Any:
    if str(value) != str(person.user_id):
        return value
    return str(person.pseudonym) if isinstance(value, str) else person.pseudonym
