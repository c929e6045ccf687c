"""Every route of the API, read off the URL patterns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver

from ordersite.access.permission import scope_of
from ordersite.keyed_requests.once import takes_keys
from runtime.requests import idempotency_key
from runtime.requests.operation import Operation
from runtime.requests.problem_types import KEY_IN_USE, KEY_REUSED

#: Pages for people, with a login or a protocol of their own.
APART = ("admin/", "oidc/")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

KEY = idempotency_key.field("4c0f8a1e-2f0b-4a57-9d0e-0a4b9f2f6c11")

_PART = re.compile(r"<(?:\w+:)?(\w+)>")


class Address(NamedTuple):
    """One address of the site, and who answers there."""

    #: As Django has it: `orders/<str:order_id>`.
    pattern: str
    callback: Callable[..., Any]

    @property
    def path(self) -> str:
        """As OpenAPI has it: `/orders/{orderId}`."""
        return "/" + _PART.sub(lambda match: f"{{{camel(match[1])}}}", self.pattern)

    @property
    def parts(self) -> list[str]:
        """The names of the parts that differ, as the view has them."""
        return _PART.findall(self.pattern)

    @property
    def operations(self) -> dict[str, Operation]:
        """What the view says of each method."""
        said: dict[str, Operation] = getattr(self.view, "operations", {})
        return said

    @property
    def view(self) -> Any:
        """The view as it answers here: an object of its class, or the function."""
        if hasattr(self.callback, "cls"):
            return self.callback.cls(**self.callback.initkwargs)  # type: ignore[attr-defined]
        return self.callback

    @property
    def methods(self) -> list[str]:
        """Those that have to be described; a function says which they are."""
        allowed = getattr(self.view, "allowed_methods", self.operations)
        return [each for each in METHODS if each in allowed]


class Route(NamedTuple):
    """One method of one address."""

    address: Address
    method: str
    operation: Operation

    @property
    def scope(self) -> str | None:
        """The scope that it needs; None where it is for everybody."""
        return scope_of(self.address.view, self.method)

    @property
    def tag(self) -> str:
        """What it is about: the family of its scope; what is for everybody is about the site."""
        return self.scope.partition(":")[0] if self.scope else "site"


def addresses() -> Iterator[Address]:
    """Each address of the site but the pages that are apart."""
    yield from within(get_resolver().url_patterns)


def within(patterns: Sequence[Any], before: str = "") -> Iterator[Address]:
    for each in patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLPattern):
            yield Address(route, each.callback)
        elif isinstance(each, URLResolver) and not route.startswith(APART):
            yield from within(each.url_patterns, route)


def routes() -> list[Route]:
    """Each method of each address that is described."""
    return [
        Route(address, method, with_key(address, method))
        for address in addresses()
        for method in address.methods
        if method in address.operations
    ]


def with_key(address: Address, method: str) -> Operation:
    """The operation, which takes an Idempotency-Key where its answer is kept for that."""
    said = address.operations[method]
    is_scoped = scope_of(address.view, method) is not None
    if not is_scoped or not takes_keys(address.view, method):
        return said
    answers = {
        status: replace(each, headers=(*each.headers, idempotency_key.REPLAYED_FIELD))
        if status < 300
        else each
        for status, each in said.answers.items()
    }
    return replace(
        said,
        headers=(*said.headers, KEY),
        problems=tuple(dict.fromkeys((*said.problems, KEY_IN_USE, KEY_REUSED))),
        answers=answers,
    )


def camel(name: str) -> str:
    """`order_id` as `orderId`; a name that ends with an underscore has it for Python's sake."""
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name.rstrip("_"))
