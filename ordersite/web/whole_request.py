"""Middleware: a request reaches a view only when it is complete and well-formed.

Both ways of a request (see `ordersite.asgi`) and every server end here where anything about its
head or its body is unusual, so that there is one place which says no.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import APIException

from ordersite.web import problems
from ordersite.web.body import most_bytes
from runtime.requests.problem_types import (
    BODY_TOO_LARGE,
    LENGTH_REQUIRED,
    MALFORMED_REQUEST,
    UNSUPPORTED_MEDIA_TYPE,
)
from runtime.requests.refusal import Fault, Refusal
from runtime.requests.truncated import Truncated

TITLE = "The request was not read"

LENGTH_MISSING = Fault(
    field="Content-Length",
    detail="must be given",
    fix="Send the body with its length, not in chunks.",
)
ENCODED = Fault(
    field="Content-Encoding",
    detail="must not be sent",
    fix="Send the body as it is, neither compressed nor encoded.",
)
UNREADABLE_TYPE = Fault(
    field="Content-Type",
    detail="cannot be read: a parameter names a character set that does not exist",
    fix="Send Content-Type: application/json, without parameters.",
)
NO_LENGTH = Fault(
    field="Content-Length",
    detail="must be a number of bytes",
    fix="Send how many bytes the body has, in digits.",
)
NO_HOST = Fault(
    field="Host",
    detail="must be given",
    fix="Send the name of the site, for example Host: orders.example.com.",
)


class UTF8Request(WSGIRequest):
    """Text in an address or a body is UTF-8, whatever charset a client names.

    Django would decode the address with any codec that Python has, and `hex` is one.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        content_type = environ.get("CONTENT_TYPE", "")
        if can_be_parsed(content_type):
            super().__init__(environ)
        else:
            super().__init__({**environ, "CONTENT_TYPE": ""})
            self.META["CONTENT_TYPE"] = content_type

    @property
    def encoding(self) -> str | None:
        """None: UTF-8."""
        return None

    @encoding.setter
    def encoding(self, name: str) -> None:
        """Django sets it to the charset of the request's content type."""


def can_be_parsed(content_type: str) -> bool:
    try:
        parse_header_parameters(content_type)
    except (LookupError, ValueError):
        return False
    return True


class WholeRequest:
    """Reads the body before anything is done, and refuses what can be read in two ways."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            if isinstance(request, UTF8Request):
                check_host(request.META)
            check_head(request.META)
            check_length(request.META, most_bytes(request.path_info))
            read_body(request)
        except Refusal as refusal:
            return problems.refused(refusal)
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """What a view that is none of the REST framework's is told while it reads or logs in.

        A longer body, which its view reads, may end too early as well.
        """
        if isinstance(exception, UnreadablePostError):
            exception = Truncated()
        return problems.refused(exception) if isinstance(exception, APIException) else None


def check_host(meta: Mapping[str, str]) -> None:
    """Raises Refusal: the request does not say whom it is for (RFC 9112, section 3.2).

    Django would take the server's own name instead, which ALLOWED_HOSTS may well name.
    """
    if "HTTP_HOST" not in meta:
        raise Refusal(TITLE, [NO_HOST], MALFORMED_REQUEST)


def check_head(meta: Mapping[str, str]) -> None:
    """Raises Refusal: the head says of the body what no view of ours can read."""
    if "HTTP_TRANSFER_ENCODING" in meta:
        # WSGI passes on no body whose length was not declared.
        raise Refusal(TITLE, [LENGTH_MISSING], LENGTH_REQUIRED)
    if (length := meta.get("CONTENT_LENGTH")) and not (length.isascii() and length.isdigit()):
        raise Refusal(TITLE, [NO_LENGTH], MALFORMED_REQUEST)
    if meta.get("HTTP_CONTENT_ENCODING", "").strip().lower() not in ("", "identity"):
        raise Refusal(TITLE, [ENCODED], UNSUPPORTED_MEDIA_TYPE)
    if not can_be_parsed(meta.get("CONTENT_TYPE", "")):
        raise Refusal(TITLE, [UNREADABLE_TYPE], UNSUPPORTED_MEDIA_TYPE)


def check_length(meta: Mapping[str, str], most: int) -> None:
    """Raises Refusal: the body is longer than any may be at this address; none of it was read."""
    if int(meta.get("CONTENT_LENGTH") or 0) > most:
        fix = f"Send at most {most} bytes; split a larger request."
        fault = Fault(field="body", detail=f"must have at most {most} bytes", fix=fix)
        raise Refusal(TITLE, [fault], BODY_TOO_LARGE)


def read_body(request: HttpRequest) -> None:
    """Have the whole body in memory, unless it is longer than any but an import may be.

    Raises:
        Truncated: the client hung up before its end.
    """
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if not 0 < length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return
    try:
        is_whole = len(request.body) == length
    except UnreadablePostError:
        is_whole = False
    if not is_whole:
        raise Truncated
