"""The kinds of problems at the desk."""

from __future__ import annotations

from runtime.requests.problem_type import ProblemType

NOT_IN_THIS_STATE = ProblemType(
    "not-in-this-state",
    409,
    "Its state does not allow this",
    "The failed message, the bulk replay or the act to approve has been settled meanwhile, or is "
    "in a state in which this cannot be done.",
    "Read its state again, then decide.",
    "it is failed, so there is nothing to restore",
)
