"""How the desk's API refuses a request: which field is wrong, what it must be, and the fix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from failed_messages.acting.editing import InvalidEdit
from failed_messages.problem_types import NOT_IN_THIS_STATE
from failed_messages.reading.known_group import UnknownGroup
from failed_messages.records.invalid_request import Invalid
from runtime.requests.faults import body_fault
from runtime.requests.problem_type import Problem
from runtime.requests.problem_types import NOT_FOUND
from runtime.requests.refusal import Fault, Refusal

TITLE = "The request is not valid"

#: What the API calls a field, where that is not its name elsewhere.
NAMES = {"fixed_in": "fixedIn", "rate": "ratePerSecond"}


class Conflict(Problem):
    """The record is not in a state that allows it."""

    problem_type = NOT_IN_THIS_STATE


@contextmanager
def refusing(*, is_body: bool = True) -> Iterator[None]:
    """Turn what the desk's functions raise about their arguments into a `Refusal`.

    `is_body` says whether the arguments came in the body, else in the address.
    """
    try:
        yield
    except UnknownGroup as error:
        fault = Fault(field=error.field, detail=error.detail, fix=error.fix)
        raise Refusal("There is no such group", [fault], NOT_FOUND) from error
    except Invalid as error:
        raise Refusal(TITLE, faults_of(error.all(), is_body=is_body)) from error
    except InvalidEdit as error:
        raise wrong_in_body("body", str(error), "Send a body that its handler takes.") from error


def faults_of(found: Iterable[Invalid], *, is_body: bool = True) -> list[Fault]:
    """What is wrong, as the API calls it."""
    return [
        body_fault((NAMES.get(each.field, each.field),), each.detail, each.fix)
        if is_body
        else Fault(field=NAMES.get(each.field, each.field), detail=each.detail, fix=each.fix)
        for each in found
    ]


def wrong_in_body(field: str, detail: str, fix: str) -> Refusal:
    """A field of the body is wrong."""
    return Refusal(TITLE, [body_fault((field,), detail, fix)])
