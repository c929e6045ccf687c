"""Errors of the HTTP API as problem details (RFC 9457): what went wrong, where, and the fix.

An app raises a `runtime.requests.problem_type.Problem`; beside its type and `detail` it may carry
- `title`: what did not happen, like "The order was not placed"; the detail begins with it;
- `errors`: `[{"field": "items[1].quantity", "detail": "…", "fix": "…"}]`, one for each mistake;
- `challenge`: the header `WWW-Authenticate`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from pymongo.errors import ConnectionFailure, PyMongoError
from rest_framework import exceptions

from ordersite.keyed_requests.once import AnsweredBefore
from runtime.outage import Outage
from runtime.requests.problem_type import ProblemType
from runtime.requests.problem_types import (
    BODY_TOO_LARGE,
    DATABASE_UNAVAILABLE,
    FORBIDDEN,
    INTERNAL_ERROR,
    INVALID_REQUEST,
    MALFORMED_REQUEST,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    TOO_BUSY,
    TOO_MANY_REQUESTS,
    UNAUTHENTICATED,
    UNSUPPORTED_MEDIA_TYPE,
)
from runtime.requests.truncated import Truncated
from runtime.trouble import is_refused_by_mongodb

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
BUSY_RETRY_AFTER_SECONDS = 1

#: Of what the REST framework raises itself; its other errors are of INVALID_REQUEST.
BY_STATUS = {
    each.status: each
    for each in (
        UNAUTHENTICATED,
        FORBIDDEN,
        NOT_FOUND,
        METHOD_NOT_ALLOWED,
        UNSUPPORTED_MEDIA_TYPE,
        TOO_MANY_REQUESTS,
        INTERNAL_ERROR,
    )
}


def problem(
    problem_type: ProblemType,
    detail: str,
    *,
    errors: Sequence[Mapping[str, str]] = (),
    retry_after_seconds: int | None = None,
) -> HttpResponse:
    """A problem details response."""
    wait = {} if retry_after_seconds is None else {"Retry-After": str(retry_after_seconds)}
    return JsonResponse(
        problem_type.body(detail, errors),
        status=problem_type.status,
        content_type="application/problem+json",
        headers=wait,
    )


def answer(exception: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """The REST framework's exception handler: every exception of an API view is a problem."""
    if isinstance(exception, AnsweredBefore):
        return exception.answer
    if is_database_unavailable(exception):
        return database_unavailable(exception)
    if isinstance(exception, RequestDataTooBig):
        return too_large()
    if isinstance(exception, (BadRequest, SuspiciousOperation)):
        return malformed()
    if isinstance(exception, UnreadablePostError):
        exception = Truncated()
    if isinstance(exception, Http404):
        exception = exceptions.NotFound()
    if isinstance(exception, PermissionDenied):
        exception = exceptions.PermissionDenied()
    if isinstance(exception, exceptions.APIException):
        return _from_api_exception(exception, context["view"])
    request = context["request"]
    logger.error("%s %s failed", request.method, request.path, exc_info=exception)
    return unexpected()


def is_database_unavailable(exception: BaseException) -> bool:
    """Whether MongoDB did not answer, said by PyMongo itself or through Django's ORM."""
    wrapped = isinstance(exception, (DatabaseError, Outage))
    cause = exception.__cause__ if wrapped else exception
    if not isinstance(cause, PyMongoError):
        return False
    return isinstance(cause, ConnectionFailure) or cause.timeout or is_refused_by_mongodb(cause)


def database_unavailable(exception: BaseException) -> HttpResponse:
    logger.error(
        "MongoDB does not answer, so a request got 503: %s",
        # The rest describes the driver's view of every server.
        str(exception.__cause__ or exception).partition(" (configured")[0],
    )
    return problem(
        DATABASE_UNAVAILABLE,
        f"The database does not answer. Try again in {RETRY_AFTER_SECONDS} seconds; with the same "
        "Idempotency-Key an order is placed once, however often you send it.",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )


def too_busy() -> HttpResponse:
    """Answers a request that was not begun, because too many wait already."""
    return problem(
        TOO_BUSY,
        "More requests wait than can be served in time, so nothing was done about this one. "
        f"Send it again in {BUSY_RETRY_AFTER_SECONDS} second.",
        retry_after_seconds=BUSY_RETRY_AFTER_SECONDS,
    )


def too_many_at_once() -> HttpResponse:
    """Answers a request that was not begun, because its client has others that take long."""
    return problem(
        TOO_MANY_REQUESTS,
        "You have the most requests of this kind that one client may have, so nothing was done "
        f"about this one. Send it again in {RETRY_AFTER_SECONDS} seconds.",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )


def too_large() -> HttpResponse:
    return problem(
        BODY_TOO_LARGE,
        f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes. "
        "Split it into smaller requests.",
    )


def malformed() -> HttpResponse:
    return problem(MALFORMED_REQUEST, "The request is malformed, so it was not read.")


def method_not_allowed(method: str, allowed: Sequence[str]) -> HttpResponse:
    response = problem(METHOD_NOT_ALLOWED, f'Method "{method}" not allowed. Use {allowed[0]}.')
    response["Allow"] = ", ".join(allowed)
    return response


def unexpected() -> HttpResponse:
    return problem(
        INTERNAL_ERROR,
        "The site has an internal error, which is logged. Try again.",
    )


def _from_api_exception(exception: exceptions.APIException, view: Any) -> HttpResponse:
    if isinstance(exception, exceptions.MethodNotAllowed):
        methods = [each for each in view.allowed_methods if each not in ("HEAD", "OPTIONS")]
        detail = f"{exception.detail} Use {' or '.join(methods)}."
    elif isinstance(exception, exceptions.UnsupportedMediaType):
        accepted = " or ".join(parser.media_type for parser in view.parser_classes)
        detail = f"{exception.detail} Send the body with the header Content-Type: {accepted}."
    else:
        detail = str(exception.detail)
    response = refused(exception, detail)
    if challenge := getattr(exception, "challenge", None):
        response["WWW-Authenticate"] = challenge
    return response


def refused(exception: exceptions.APIException, detail: str = "") -> HttpResponse:
    """The problem of the exception; `detail` in place of its own."""
    wait_seconds = getattr(exception, "wait", None)
    undone = getattr(exception, "title", "")
    detail = detail or str(exception.detail)
    return problem(
        type_of(exception),
        f"{undone}. {detail}" if undone else detail,
        errors=getattr(exception, "errors", ()),
        retry_after_seconds=max(1, math.ceil(wait_seconds)) if wait_seconds else None,
    )


def type_of(exception: exceptions.APIException) -> ProblemType:
    declared: ProblemType | None = getattr(exception, "problem_type", None)
    return declared or BY_STATUS.get(exception.status_code, INVALID_REQUEST)


# --- What never reaches an API view -----------------------------------------------------------


@csrf_exempt  # or a POST to a wrong address would meet Django's page about cookies
def no_such_address(request: HttpRequest, address: str = "") -> HttpResponse:
    return problem(
        NOT_FOUND,
        f"There is nothing at {request.path}. The orders are at /orders, without a final slash.",
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_page(request):
        return _page(defaults.bad_request, request, exception)
    return malformed()


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_page(request):
        return _page(defaults.permission_denied, request, exception)
    return problem(FORBIDDEN, "You may not do that.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_page(request):
        return _page(defaults.page_not_found, request, exception)
    return no_such_address(request)


def server_error(request: HttpRequest) -> HttpResponse:
    if _is_page(request):
        return defaults.server_error(request)
    return unexpected()


def _page(
    view: Callable[..., HttpResponse], request: HttpRequest, error: Exception
) -> HttpResponse:
    """The page of an error; it reads the form's CSRF token, and so meets a wrong form."""
    try:
        return view(request, error)
    except (MultiPartParserError, SuspiciousOperation):
        return malformed()


def _is_page(request: HttpRequest) -> bool:
    """Whether a person reads the answer; the admin is all that has pages."""
    return request.path_info.startswith("/admin/")
