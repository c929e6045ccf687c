"""A kind of problem (RFC 9457): what its address, its title and its status mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NotRequired, TypedDict

from django.conf import settings
from msgspec import Meta
from rest_framework.exceptions import APIException

from runtime.tracing.context import current_trace_id

#: Where the site serves a page for each.
PATH = "/problems"


class Fault(TypedDict):
    """One thing to fix: which field, what it must be, and what to send instead."""

    field: Annotated[str, Meta(description="Where it is.", examples=["items[0].quantity"])]
    detail: Annotated[str, Meta(description="What it must be.")]
    fix: Annotated[str, Meta(description="What to send instead.")]
    pointer: NotRequired[
        Annotated[
            str,
            Meta(
                description="Where it is in a JSON body (RFC 6901, section 6).",
                examples=["#/items/0/quantity"],
            ),
        ]
    ]


class ProblemDetails(TypedDict):
    """What went wrong, and the fix (RFC 9457)."""

    type: Annotated[
        str,
        Meta(
            description="The kind of problem, and the address of a page about it.",
            examples=[f"{PATH}/invalid-request"],
        ),
    ]
    title: Annotated[str, Meta(description="The kind of problem in words.")]
    status: int
    detail: Annotated[str, Meta(description="What went wrong this time.")]
    errors: NotRequired[list[Fault]]
    traceId: NotRequired[
        Annotated[
            str,
            Meta(
                description="The trace that the request is part of, where it is part of one.",
                examples=["4bf92f3577b34da6a3ce929d0e0e4736"],
            ),
        ]
    ]


@dataclass(frozen=True, slots=True, eq=False)
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

    def body(self, detail: str, errors: Sequence[Any] = ()) -> ProblemDetails:
        """The problem as it is answered."""
        body: ProblemDetails = {
            "type": self.address,
            "title": self.title,
            "status": self.status,
            "detail": detail,
        }
        if errors:
            body["errors"] = list(errors)
        if trace_id := current_trace_id():
            body["traceId"] = trace_id
        return body

    def example(self) -> ProblemDetails:
        return self.body(self.detail, self.errors)


class Problem(APIException):
    """What a view raises to be answered with a problem of this type."""

    problem_type: ProblemType

    @property
    def status_code(self) -> int:
        return self.problem_type.status
