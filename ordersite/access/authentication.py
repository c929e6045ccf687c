"""Authentication of the REST framework's views: each way results in a `Caller`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from rest_framework.authentication import (
    BaseAuthentication,
    BasicAuthentication,
    SessionAuthentication,
)
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from ordersite.access import bearer
from ordersite.access.scopes import OPEN, SCOPES
from ordersite.staff import second_factor
from ordersite.staff.basic_login import NotFromHere, verified_user
from runtime.requests.caller import REALM, Caller, Unauthenticated, caller_of

#: The REST framework's view of a request: Django's user, and who calls.
Authenticated = tuple[Any, Caller]

ANYONE = Caller("anyone", "anyone", OPEN, is_anyone=True)


class Bearer(BaseAuthentication):
    """An API key or an access token."""

    def authenticate(self, request: Request) -> Authenticated | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if header.partition(" ")[0].lower() != "bearer":
            return None
        return AnonymousUser(), bearer.caller(header)


class StaffLogin(BasicAuthentication):
    """Name and password of a user of the admin (RFC 7617)."""

    www_authenticate_realm = REALM

    def authenticate(self, request: Request) -> Authenticated | None:
        try:
            found = super().authenticate(request)
        except AuthenticationFailed as error:
            challenge = self.authenticate_header(request)
            raise Unauthenticated(str(error.detail), challenge) from error
        return (found[0], caller_of_user(found[0])) if found else None

    def authenticate_credentials(
        self, userid: str, password: str, request: Request | None = None
    ) -> tuple[Any, None]:
        """Checked once a minute; a browser may not send it for a page of another site.

        Raises:
            AuthenticationFailed: name or password is wrong.
            PermissionDenied: another site may have had a browser send it.
        """
        assert request is not None  # as `authenticate` passes it on
        try:
            user = verified_user(request, userid, password)
        except NotFromHere as error:
            raise PermissionDenied(str(error)) from error
        if user is None:
            raise AuthenticationFailed("The name or the password is wrong.")
        return user, None


class StaffSession(SessionAuthentication):
    """Who is logged in to the admin.

    Raises:
        PermissionDenied: with a password alone, where that is not enough.
    """

    def authenticate(self, request: Request) -> Authenticated | None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            # Not read, so that no answer says that it varies with a cookie.
            return None
        found = super().authenticate(request)
        if found is None:
            return None
        if second_factor.is_missing(found[0], request.session):
            page = reverse("admin:second-factor")
            raise PermissionDenied(f"Your login needs a second factor: set it up at {page}.")
        return found[0], caller_of_user(found[0])


class Anyone(BaseAuthentication):
    """A caller without credentials, where the API is open; asked last."""

    def authenticate(self, request: Request) -> Authenticated | None:
        is_open = settings.API_IS_OPEN and "HTTP_AUTHORIZATION" not in request.META
        return (AnonymousUser(), ANYONE) if is_open else None


def still(request: Request) -> Caller:
    """Who sent the request, asked once more: for an answer that goes on for long.

    Raises:
        Unauthenticated: the key or token has ended meanwhile.
    """
    found = Bearer().authenticate(request)
    return found[1] if found else caller_of(request)


def caller_of_user(user: Any) -> Caller:
    """A user of the admin with the scopes that their permissions give them."""
    name = user.get_username()
    is_staff = user.is_active and user.is_staff
    given = {
        scope.name
        for scope in SCOPES.values()
        if is_staff and (not scope.permission or user.has_perm(scope.permission))
    }
    scopes = frozenset(given | OPEN if settings.API_IS_OPEN else given)
    return Caller(f"user:{user.pk}", name, scopes)
