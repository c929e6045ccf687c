"""Requests that the API refuses, each with the wrong field and its fix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from runtime.requests.problem_type import Problem, ProblemType
from runtime.requests.problem_types import INVALID_REQUEST

#: Told in the refusal's own text; `errors` has all.
FAULTS_IN_DETAIL = 3


class Fault(TypedDict):
    """One thing to fix: which field, what it must be, and what to send instead."""

    field: str
    detail: str
    fix: str
    #: Where the field is in a JSON body, like `#/items/1/quantity` (RFC 6901, section 6).
    pointer: NotRequired[str]


class Refusal(Problem):
    """A request that is not taken; it becomes an `application/problem+json` answer."""

    def __init__(
        self, title: str, faults: Sequence[Fault], problem_type: ProblemType = INVALID_REQUEST
    ) -> None:
        """
        Args:
            title: what did not happen, like "The order was not placed".
        """
        super().__init__(in_words(faults))
        self.title = title
        self.errors = list(faults)
        self.problem_type = problem_type


def in_words(faults: Sequence[Fault]) -> str:
    """The faults for a person to read: the first ones, and how many more there are."""
    told = [f"{each['field']}: {each['detail']}. {each['fix']}" for each in faults]
    more = len(faults) - FAULTS_IN_DETAIL
    return " ".join([*told[:FAULTS_IN_DETAIL], *([f"And {more} more."] if more > 0 else [])])
