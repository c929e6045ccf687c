"""A kind of problem (RFC 9457): what its address, its title and its status mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from rest_framework.exceptions import APIException

#: Where the site serves a page for each.
PATH = "/problems"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """Declared once, in `problem_types` here or in the `problem_types` of an app."""

    #: The last part of its address; it never changes, as clients compare it.
    name: str
    #: The HTTP status of every answer of this kind.
    status: int
    title: str
    meaning: str
    #: What the client does about it.
    fix: str
    #: An example of an answer: its `detail` …
    detail: str
    #: … and its `errors`, one for each thing to fix.
    errors: tuple[Mapping[str, str], ...] = ()

    @property
    def address(self) -> str:
        """The value of `type`: a path, so that it is the same in every environment."""
        return f"{settings.FORCE_SCRIPT_NAME or ''}{PATH}/{self.name}"

    def body(self, detail: str, errors: Any = ()) -> dict[str, Any]:
        """The problem as it is answered."""
        body = {
            "type": self.address,
            "title": self.title,
            "status": self.status,
            "detail": detail,
        }
        return {**body, "errors": list(errors)} if errors else body

    def example(self) -> dict[str, Any]:
        return self.body(self.detail, self.errors)


class Problem(APIException):
    """What a view raises to be answered with a problem of this type."""

    problem_type: ProblemType

    @property
    def status_code(self) -> int:
        return self.problem_type.status
