"""Where a keyed request is stopped, and where its answer is kept.

The REST framework asks its permission classes when it knows who calls and before it acts; the
middleware sees the whole answer.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pymongo
from django.http import HttpRequest, HttpResponse
from pymongo.errors import PyMongoError
from rest_framework.exceptions import APIException
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from ordersite.keyed_requests.store import TITLE, Claim, claim, settle
from runtime.requests import idempotency_key
from runtime.requests.caller import caller_of
from runtime.requests.deadline import ANSWER_SECONDS
from runtime.requests.json_body import JsonBody
from runtime.requests.refusal import Refusal

logger = logging.getLogger(__name__)

#: A part of an address that is an id of ours, which is the same in capitals; a SKU, or the id of a
#: foreign publisher's order, is another one then. That of a retry ends in 12 further digits; of
#: endpoints, keys, groups and policies no two differ in nothing but capitals.
OUR_ID = re.compile(
    r"(?<=/)[0-9a-fA-F]{24}(-[0-9a-fA-F]{12})?(?=/|$)"
    r"|(?<=/webhooks/endpoints/)[^/]+|(?<=/webhooks/deliveries/)[^/]+|(?<=/api-keys/)[^/]+"
    r"|(?<=/failed-messages/groups/)[^/]+|(?<=/failed-messages/policies/)[^/]+"
)
EXAMPLE = "a new UUID for each request"
#: Under this name it is in the request's `META`, which view and middleware share.
CLAIM = "ordersite.idempotency_claim"


class AnsweredBefore(APIException):
    """The request was sent before; `answer` is what it was answered with."""

    def __init__(self, answer: HttpResponse) -> None:
        super().__init__("answered before")
        self.answer = answer


class OncePerKey(BasePermission):
    """Lets a request with an Idempotency-Key through once; a view may have keys of its own."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises AnsweredBefore, or what `store.claim` raises."""
        header = request.headers.get(idempotency_key.HEADER)
        if header is None or not takes_keys(view, request.method or ""):
            return True
        key = idempotency_key.read(header, TITLE, EXAMPLE)
        with pymongo.timeout(ANSWER_SECONDS):
            found = claim(
                f"{caller_of(request).owner_of_keys}:{key}",
                fingerprint(request, body_of(view, request.method or "")),
            )
        if not isinstance(found, Claim):
            raise AnsweredBefore(found)
        request.META[CLAIM] = found
        return True


class KeepAnswers:
    """Middleware: what a keyed request was answered with is kept."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if found := request.META.get(CLAIM):
            try:
                with pymongo.timeout(ANSWER_SECONDS):
                    settle(found, response)
            except PyMongoError:
                logger.exception(
                    "The answer to a request with an Idempotency-Key was not kept. Who sends it "
                    "again is told for a minute that it is in use; then it acts once more."
                )
        return response


def takes_keys(view: Any, method: str) -> bool:
    """Whether the first answer of the view's method is kept here, where a key is sent."""
    if method not in view.allowed_methods or method in SAFE_METHODS:
        return False
    return not getattr(view, "has_keys_of_its_own", False)


def fingerprint(request: Request, route: JsonBody[Any] | None) -> str:
    """Equal for requests that ask for the same, however their JSON is written.

    Args:
        route: what the body of such a request is to be.
    """
    body = request.body
    # A request that is refused is not kept.
    with suppress(Refusal):
        body = route.canonical(body) if route else body
    asked = f"{request.method} {address(request)}\n".encode()
    return hashlib.sha256(asked + body).hexdigest()


def body_of(view: Any, method: str) -> JsonBody[Any] | None:
    """What the view's method takes."""
    operation = getattr(view, "operations", {}).get(method)
    return operation.body if operation else None


def address(request: Request) -> str:
    """The request's address, with our own ids as they are stored."""
    path, mark, query = request.get_full_path().partition("?")
    return f"{OUR_ID.sub(lambda found: found[0].lower(), path)}{mark}{query}"
