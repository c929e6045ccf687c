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
PERSON_UNKNOWN = ProblemType(
    "person-unknown",
    403,
    "Nobody knows which person asks",
    "With SECOND_PERSON_ABOVE the act needs a second person, and a key does not say who the first "
    "one is, nor does a token whose subject is not a user of the site. Whoever holds it could "
    "approve what it asked for.",
    "Ask for it in the admin, or with a login of your own.",
    "Nothing was done: this needs a second person, and a key, or a token whose sub is not a user "
    "here, does not say who the first one is. Ask for it in the admin, or with a login of your "
    "own.",
)
