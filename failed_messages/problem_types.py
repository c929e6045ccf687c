"""The kinds of problems at the desk."""

from __future__ import annotations

from runtime.requests.problem_type import ProblemType

NOT_IN_THIS_STATE = ProblemType(
    "not-in-this-state",
    409,
    "It is not in a state for this",
    "A failed message, a bulk replay or an act that waits has been settled meanwhile, or is not "
    "at the point where this can be done.",
    "Read its state again, and decide by that.",
    "it is failed, so there is nothing to restore",
)
