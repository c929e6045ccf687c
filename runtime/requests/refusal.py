"""Requests that the API refuses, each with the wrong field and its fix."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.requests.problem_type import Fault, Problem, ProblemType
from runtime.requests.problem_types import INVALID_REQUEST

__all__ = ["Fault", "Refusal"]

#: Told in the refusal's own text; `errors` has all.
FAULTS_IN_DETAIL = 3


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
