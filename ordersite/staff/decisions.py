"""Middleware: what the staff were let do, and what anybody was not, in the log of decisions."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch
from pymongo.errors import PyMongoError

from failed_messages.records.audit import note_denied
from runtime.decision_log import decided
from runtime.requests.caller import Caller
from runtime.requests.token_buckets import Buckets

#: A page's script asks for the overview every few seconds: who opened the page is told.
OVERVIEW = "/admin/overview/"
#: What customers ask for, what anybody may read, and probes: of these only refusals are told, and
#: what a member of the staff changes.
CUSTOMERS = (
    *("/orders", "/problems", "/docs", "/openapi.json", "/asyncapi.yaml"),
    *("/health/", "/static/"),
)
#: Read by customers, changed by the staff.
PRODUCTS = "/products"
DENIED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
SAFE = ("GET", "HEAD", "OPTIONS")
LOGIN = "/admin/login/"
#: For so long what a caller is denied is one entry of the audit log, for each route.
AUDITED_ONCE_SECONDS = 60.0

_noted = Buckets(AUDITED_ONCE_SECONDS)


class Decisions:
    """Tells one line for each request that needs a permission; it sees the answer, and no body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        match = request.resolver_match
        if match is not None and (is_denied(response) or is_of_staff(request)):
            tell(request, response, match)
        return response


def is_of_staff(request: HttpRequest) -> bool:
    path = request.path_info
    caller = getattr(request, "auth", None)
    if isinstance(caller, Caller) and caller.is_staff and request.method not in SAFE:
        return True
    if request.method in SAFE and path.startswith(PRODUCTS):
        return False
    return not path.startswith(CUSTOMERS) and path not in ("/", "/admin", LOGIN, OVERVIEW)


def is_denied(response: HttpResponse) -> bool:
    """Whether it says no, or sends to the login who is not logged in."""
    return response.status_code in DENIED or LOGIN in response.headers.get("Location", "")


def tell(request: HttpRequest, response: HttpResponse, match: ResolverMatch) -> None:
    by, denied = caller_name(request), is_denied(response)
    asked = f"{request.method} {match.view_name or match.route}"
    decided(
        asked,
        by=by,
        allowed=not denied,
        reason=f"HTTP {response.status_code}" if denied else "",
        source__ip=request.META.get("REMOTE_ADDR"),
        http__request__method=request.method,
        http__response__status_code=response.status_code,
        url__path=request.path,
    )
    if denied and by and request.method not in SAFE and not is_customer(request):
        note_once(asked, f"{request.method} {request.path_info}", by)


def note_once(asked: str, request: str, by: str) -> None:
    """Note the denied request, unless the caller was denied the same within the last minute.

    A program may be denied as often as it likes, and the audit log is for ever.
    """
    if _noted.take(f"{asked} {by}", 1 / AUDITED_ONCE_SECONDS) >= 0:
        note_denied(request, by=by)


def is_customer(request: HttpRequest) -> bool:
    caller = getattr(request, "auth", None)
    return isinstance(caller, Caller) and caller.user_id is not None


def caller_name(request: HttpRequest) -> str:
    """Who the REST framework, or a session, found behind the request; empty for nobody."""
    caller: Any = getattr(request, "auth", None)
    if name := getattr(caller, "name", ""):
        return str(name)
    user: Any = getattr(request, "user", None)
    try:
        return str(user.get_username()) if user is not None and user.is_authenticated else ""
    except (DatabaseError, PyMongoError):
        # Whose session it is nobody can tell now; the answer says so.
        return ""


def tell_login(sender: Any, request: HttpRequest | None, user: Any, **_: Any) -> None:
    decided("login", by=user.get_username(), allowed=True, kind="authentication", **source(request))


def tell_logout(sender: Any, request: HttpRequest | None, user: Any, **_: Any) -> None:
    name = user.get_username() if user else ""
    decided("logout", by=name, allowed=True, kind="authentication", **source(request))


def tell_failed_login(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    decided(
        "login",
        by=str(credentials.get("username", "")),
        allowed=False,
        kind="authentication",
        reason="name or password is wrong, or the user may not",
        **source(request),
    )


def source(request: HttpRequest | None) -> dict[str, Any]:
    return {"source__ip": request.META.get("REMOTE_ADDR")} if request is not None else {}


def connect() -> None:
    """Have Django's logins told, too."""
    user_logged_in.connect(tell_login, dispatch_uid="decisions")
    user_logged_out.connect(tell_logout, dispatch_uid="decisions")
    user_login_failed.connect(tell_failed_login, dispatch_uid="decisions")
