"""Requests that the API refuses, each with the wrong field and its fix."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypedDict

import msgspec

from runtime.requests.problem_type import Problem, ProblemType
from runtime.requests.problem_types import INVALID_REQUEST
from runtime.requests.requirement import requirement

#: A client may send a field name of a megabyte; it is not sent back whole.
LONGEST_ECHO_CHARACTERS = 100


class Fault(TypedDict):
    """One thing to fix: which field, what it must be, and what to send instead."""

    field: str
    detail: str
    fix: str


class Refusal(Problem):
    """A request that is not taken; it becomes an `application/problem+json` answer."""

    def __init__(
        self, title: str, faults: Sequence[Fault], problem_type: ProblemType = INVALID_REQUEST
    ) -> None:
        """
        Args:
            title: what did not happen, like "The order was not placed".
        """
        super().__init__(" ".join(f"{f['field']}: {f['detail']}. {f['fix']}" for f in faults[:3]))
        self.title = title
        self.errors = list(faults)
        self.problem_type = problem_type


def fault_of(error: msgspec.ValidationError, fixes: Mapping[str, str]) -> Fault:
    """What msgspec found, in the API's words.

    `fixes` maps a field's last name (`quantity` for `items[3].quantity`, `items[]` for
    `items[3]`) to an example of a valid value, and `body` to one of the whole. It may also say
    what to do in place of sending a field that is not known.
    """
    text, _, path = str(error).partition(" - at `$")
    parent = path.rstrip("`").removeprefix(".")
    if match := re.fullmatch(r"Object missing required field `(.+)`", text):
        field, detail = _join(parent, match[1]), "must be given"
        return Fault(field=field, detail=detail, fix=_fix(field, fixes))
    if match := re.fullmatch(r"Object contains unknown field `(.*)`", text, re.DOTALL):
        # The name is the client's: any text, even none, and of any length.
        field = _join(parent, match[1][:LONGEST_ECHO_CHARACTERS] or '""')
        fix = f"Remove it. {fixes.get(match[1]) or _fix(parent, fixes)}"
        return Fault(field=field, detail="must not be given: it is not a known field", fix=fix)
    field = parent or "body"
    return Fault(field=field, detail=requirement(text), fix=_fix(field, fixes))


def _join(parent: str, name: str) -> str:
    return f"{parent}.{name}" if parent else name


def _fix(field: str, fixes: Mapping[str, str]) -> str:
    last = re.sub(r"\[\d+\]", "[]", field).rpartition(".")[2]
    return fixes.get(last, fixes["body"])
