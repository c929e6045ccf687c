"""A request's body, decoded from JSON and checked on the way: the one parser of all routes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_args

import msgspec
from django.conf import settings
from msgspec import Meta, Struct

from runtime.requests import repeated_names
from runtime.requests.faults import (
    MOST_FAULTS,
    Wrong,
    fault,
    faults_of,
    fields_of,
    right_fields,
)
from runtime.requests.number import TEXT_IF_LARGER, large_number
from runtime.requests.problem_types import BODY_TOO_LARGE
from runtime.requests.refusal import Fault, Refusal
from runtime.requests.requirement import requirement

if TYPE_CHECKING:
    # The framework takes a tenth of a second, and workers read bodies, too.
    from rest_framework.request import Request

T = TypeVar("T")

#: Given the fields of an object, None for what is wrong by itself, what else is wrong in them.
Also = Callable[[Mapping[str, Any]], Iterable[Fault]]

REPEATED = "must be given once, and is there twice in the same object"


class JsonBody(Generic[T]):
    """What the body of a route is to be.

    Args:
        type_: what it is decoded to, e.g. a `msgspec.Struct`.
        title: what did not happen, if the body is refused.
        fixes: how to fix each field, see `runtime.requests.faults.faults_of`.
        max_bytes: a longer one is refused; by default what a message may have.
        empty: what a request without a body asks for; None where one is needed.
    """

    def __init__(
        self,
        type_: type[T],
        title: str,
        fixes: Mapping[str, str],
        *,
        max_bytes: int | None = None,
        empty: T | None = None,
    ) -> None:
        self.type_ = type_
        #: Whether a request without a body asks for something, too.
        self.is_optional = empty is not None
        self._decoder = msgspec.json.Decoder(type_)
        self._is_shown_whole = repeated_names.is_encoded_as_sent(type_)
        self._title = title
        self._fixes = fixes
        self._max_bytes = max_bytes
        self._empty = empty

    def of(self, request: Request, also: Also | None = None) -> T:
        """What the request asks for.

        Args:
            also: see `decode`.

        Raises:
            Refusal: see `decode`; or there is no body.
            UnsupportedMediaType: it is not declared to be JSON.
        """
        body = request.data
        # The REST framework calls no parser where there is no body.
        if isinstance(body, bytes):
            return self.decode(body, also)
        if self._empty is None:
            raise self._bad("must not be empty")
        return self._empty

    def checked(self, request: Request, also: Also) -> T:
        """What the request asks for, with nothing wrong in it beside its types either.

        Raises:
            Refusal, UnsupportedMediaType: see `of`; or `also` finds something.
        """
        asked = self.of(request, also)
        if faults := list(also(msgspec.to_builtins(asked))):
            raise Refusal(self._title, faults[:MOST_FAULTS])
        return asked

    def decode(self, body: bytes, also: Also | None = None) -> T:
        """What the body says.

        Args:
            also: what is wrong beside the types, so that a body that is refused is told all of it.
                A body that is not refused is for the caller to check.

        Raises:
            Refusal: it is too long, not JSON in UTF-8 (RFC 8259), something else than the type, or
                has a name twice in an object; the refusal names each field that is wrong.
        """
        max_bytes = self._max_bytes or settings.MAX_MESSAGE_BYTES
        if len(body) > max_bytes:
            raise self._too_long(max_bytes)
        try:
            decoded = self._decoder.decode(body)
        except msgspec.ValidationError as error:
            return self._again(body, error, also)
        except UnicodeDecodeError as error:
            raise self._bad("must be UTF-8") from error
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._bad(f"must be JSON: {error}") from error
        may_repeat = not self._is_shown_whole or repeated_names.may_be_in(body, decoded)
        if may_repeat and (faults := self._repeated(body)):
            raise Refusal(self._title, faults)
        return decoded

    def canonical(self, body: bytes) -> bytes:
        """Equal for bodies that ask for the same: with a default or without it, in any sequence.

        Raises:
            Refusal: see `decode`.
        """
        asked = self.decode(body) if body or self._empty is None else self._empty
        # `null` says as much as no body does.
        return msgspec.json.encode(self._empty if asked is None else asked, order="sorted")

    def _again(self, body: bytes, first: msgspec.ValidationError, also: Also | None) -> T:
        """What a body says that is something else at first sight: large numbers may be text.

        Raises:
            Refusal: it is none the less; all that is wrong in it is named.
        """
        try:
            value = with_large_numbers(msgspec.json.decode(body), self.type_)
        except msgspec.ValidationError as error:
            # A number of thousands of digits is none at all.
            text, _, place = str(first).partition(" - at `$.")
            named = place.rstrip("`").partition(".")[0]
            where = Wrong((named,) if named else (), requirement(text))
            raise Refusal(self._title, [fault(where, self._fixes, is_body=True)]) from error
        except UnicodeDecodeError as error:
            raise self._bad("must be UTF-8") from error
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._bad(f"must be JSON: {error}") from error
        found = [*self._repeated(body), *faults_of(value, self.type_, self._fixes)]
        if found:
            is_object = isinstance(value, dict)
            beside = also(right_fields(value, self.type_)) if also and is_object else ()
            raise Refusal(self._title, [*found, *beside][:MOST_FAULTS]) from first
        return msgspec.convert(value, self.type_)

    def _repeated(self, body: bytes) -> list[Fault]:
        """A fault for each name that an object has twice."""
        try:
            paths = repeated_names.paths_in(body)
        except (ValueError, RecursionError) as error:
            raise self._bad(f"must be JSON: {error}") from error
        wrong = [Wrong(path, REPEATED) for path in paths[:MOST_FAULTS]]
        return [fault(each, self._fixes, is_body=True) for each in wrong]

    def _bad(self, detail: str) -> Refusal:
        """The body as a whole is at fault."""
        return Refusal(self._title, [fault(Wrong((), detail), self._fixes, is_body=True)])

    def _too_long(self, max_bytes: int) -> Refusal:
        fix = f"Send at most {max_bytes} bytes; split a larger request."
        fault = Fault(field="body", detail=f"must have at most {max_bytes} bytes", fix=fix)
        return Refusal(self._title, [fault], BODY_TOO_LARGE)


def with_large_numbers(value: Any, type_: Any) -> Any:
    """The object with its large numbers, which JavaScript can write as text alone."""
    if not (isinstance(value, dict) and isinstance(type_, type) and issubclass(type_, Struct)):
        return value
    marked = {name for name, field in fields_of(type_).items() if is_marked(field.type)}
    return {name: large_number(each) if name in marked else each for name, each in value.items()}


def is_marked(type_: Any) -> bool:
    """Whether a field of that type may be text where its number is large."""
    return any(
        (isinstance(each, Meta) and TEXT_IF_LARGER in (each.extra or {})) or is_marked(each)
        for each in get_args(type_)
    )
