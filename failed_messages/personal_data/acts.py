"""What staff asked for: acts to approve, and bulk jobs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from pymongo.collection import Collection

from failed_messages.personal_data.scrubbing import scrubbed_text_in
from failed_messages.reading.act_result import record_id
from failed_messages.records.collection import (
    discard_jobs,
    failed_messages,
    pending_acts,
    replay_jobs,
)
from runtime.mongodb_clock import mongodb_now
from runtime.personal_data import (
    SMALLEST_PSEUDONYM,
    Erased,
    Person,
    names_user,
    naming,
    scrubbed,
    scrubbed_as_user,
    scrubbed_text,
)

Record = dict[str, Any]


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
    # What erasing would change is theirs; other people's acts have such numbers, too.
    person = Person(user_id, SMALLEST_PSEUDONYM, mongodb_now())
    for each in ACTS:
        found = each.collection().find(each.naming(user_id))
        yield from (asked for asked in found if _changed(each, asked, person))


def erase(person: Person) -> Erased:
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
        change["body"] = scrubbed_text_in("body", change["body"], person)
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
