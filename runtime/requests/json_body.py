"""A request's body, decoded from JSON and checked on the way: the one parser of all routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any, Generic, TypeVar

import msgspec
from django.conf import settings
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from runtime.requests.problem_types import BODY_TOO_LARGE
from runtime.requests.refusal import Fault, Refusal, fault_of

T = TypeVar("T")


class JsonParser(BaseParser):
    """Takes a body that is declared to be JSON; a `JsonBody` decodes it.

    A charset in the Content-Type means nothing: JSON is UTF-8 (RFC 8259, section 11).
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The bytes, of which there are not too many: a longer body came to no view."""
        return stream.read()


class JsonBody(Generic[T]):
    """What the body of a route is to be.

    Args:
        type_: what it is decoded to, e.g. a `msgspec.Struct`.
        title: what did not happen, if the body is refused.
        fixes: how to fix each field, see `runtime.requests.refusal.fault_of`.
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
        self._decoder = msgspec.json.Decoder(type_)
        self._title = title
        self._fixes = fixes
        self._max_bytes = max_bytes
        self._empty = empty

    def of(self, request: Request) -> T:
        """What the request asks for.

        Raises:
            Refusal: see `decode`; or there is no body.
            UnsupportedMediaType: it is not declared to be JSON.
        """
        body = request.data
        # The REST framework calls no parser where there is no body.
        if isinstance(body, bytes):
            return self.decode(body)
        if self._empty is None:
            raise self._bad("must not be empty")
        return self._empty

    def decode(self, body: bytes) -> T:
        """What the body says.

        Raises:
            Refusal: it is too long, not JSON in UTF-8 (RFC 8259), or something else than the
                type; the refusal names the field.
        """
        max_bytes = self._max_bytes or settings.MAX_MESSAGE_BYTES
        if len(body) > max_bytes:
            raise self._too_long(max_bytes)
        try:
            return self._decoder.decode(body)
        except msgspec.ValidationError as error:
            raise Refusal(self._title, [fault_of(error, self._fixes)]) from error
        except UnicodeDecodeError as error:
            raise self._bad("must be UTF-8") from error
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._bad(f"must be JSON: {error}") from error

    def _bad(self, detail: str) -> Refusal:
        """The body as a whole is at fault."""
        return Refusal(self._title, [Fault(field="body", detail=detail, fix=self._fixes["body"])])

    def _too_long(self, max_bytes: int) -> Refusal:
        fix = f"Send at most {max_bytes} bytes; split a larger request."
        fault = Fault(field="body", detail=f"must have at most {max_bytes} bytes", fix=fix)
        return Refusal(self._title, [fault], BODY_TOO_LARGE)
