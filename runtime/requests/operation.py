"""What a method of a route takes and answers, for its clients; see `ordersite.openapi`.

A view says here what its code cannot say: what the method is for, and what its answers are. The
rest is read where it is declared already: the scope in the view's `scopes`, the body in its
`JsonBody`, the parameters in the struct that reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from runtime.requests.json_body import JsonBody
from runtime.requests.problem_type import ProblemType

JSON = "application/json"

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Header:
    """One field of a request's or an answer's head."""

    name: str
    description: str
    example: str
    #: Bounds of its text, as JSON Schema has them.
    bounds: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """Where an answer leads: to operations whose path takes what it says somewhere."""

    #: As the path has it, and where in the answer's JSON it is (RFC 6901).
    parameter: str
    pointer: str
    #: The ids of the operations.
    operations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is not a problem."""

    description: str
    #: What its JSON is, a tuple where it is one of several; None for no JSON.
    type: Any = None
    #: What the answer to the operation's example is like.
    example: Any = None
    headers: tuple[Header, ...] = ()
    #: Of other formats, an example by media type: text, bytes of a file, or an object.
    other: Mapping[str, str | bytes | dict[str, Any]] = field(default_factory=dict)
    links: tuple[Link, ...] = ()

    @property
    def types(self) -> tuple[Any, ...]:
        if self.type is None:
            return ()
        return self.type if isinstance(self.type, tuple) else (self.type,)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one route."""

    #: Of the operation, for generated clients: `placeOrder`.
    id: str
    summary: str
    answers: Mapping[int, Answer]
    description: str = ""
    #: What each part of the path is, where the view's routes have parts.
    path: Mapping[str, Any] = field(default_factory=dict)
    #: The struct that reads the parameters in the address.
    query: Any = None
    body: JsonBody[Any] | None = None
    #: An example of the body.
    example: Any = None
    #: Of a body that is not JSON, an example by media type.
    files: Mapping[str, str] = field(default_factory=dict)
    headers: tuple[Header, ...] = ()
    #: Those beside what any such route may answer.
    problems: tuple[ProblemType, ...] = ()


def described(**operations: Operation) -> Callable[[View], View]:
    """A view that is a function, with its operations by method."""

    def describe(view: View) -> View:
        view.operations = operations  # type: ignore[attr-defined]
        return view

    return describe
