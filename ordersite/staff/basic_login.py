"""Basic authentication (RFC 7617) of the staff's programs: checked once a minute, not each time."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.request import is_same_domain

from ordersite.staff import second_factor

REMEMBERED_SECONDS = 60
MOST_REMEMBERED = 1_000

#: What a browser sends from a page of another site without asking first (a "simple" request).
#: https://fetch.spec.whatwg.org/#cors-safelisted-request-header
FORMS = {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}
SAFE = ("GET", "HEAD", "OPTIONS")

#: Of this process alone; who reads its memory has no password, nor a hash to try passwords on.
_secret = secrets.token_bytes(32)
_lock = Lock()
#: By the HMAC of name and password: the user, the password's hash as it was, and until when.
_verified: dict[bytes, tuple[Any, str, float]] = {}


class NotFromHere(Exception):
    """A browser may have sent the request for a page of another site."""


def verified_user(request: HttpRequest, name: str, password: str) -> User | None:
    """Whose name and password these are; None where they are wrong.

    Raises:
        NotFromHere: another site may have had a browser send it.
    """
    check_origin(request)
    key = hmac.digest(_secret, f"{name}\0{password}".encode("utf-8", "replace"), hashlib.sha256)
    remembered = _remembered(key)
    user = remembered or authenticate(request, username=name, password=password)
    if not isinstance(user, User) or second_factor.is_needed(user):
        # A program has no phone: it gets a key.
        return None
    if remembered is None:
        _keep(key, user)
    return user


def check_origin(request: HttpRequest) -> None:
    """Raises NotFromHere: a browser that remembers a login sends it with any form of any site."""
    if request.method in SAFE:
        return
    if request.content_type in FORMS and request.META.get("CONTENT_TYPE"):
        raise NotFromHere("A login in the header takes no form. Send JSON, or log in to the admin.")
    origin = request.META.get("HTTP_ORIGIN")
    if origin is not None and not is_own(request, origin):
        raise NotFromHere("A login in the header is not taken from a page of another site.")


def is_own(request: HttpRequest, origin: str) -> bool:
    """Whether it is the site itself that has the page."""
    if origin == f"{request.scheme}://{request.get_host()}":
        return True
    parts = urlsplit(origin)
    return any(
        parts.scheme == urlsplit(each).scheme
        and is_same_domain(parts.netloc, urlsplit(each).netloc.lstrip("*"))
        for each in settings.CSRF_TRUSTED_ORIGINS
    )


def _remembered(key: bytes) -> User | None:
    """The user as they are now, if neither the minute nor the password has passed."""
    with _lock:
        found = _verified.get(key)
    if found is None or found[2] < time.monotonic():
        return None
    id_, password_hash, _ = found
    user = User.objects.filter(pk=id_, is_active=True).first()
    return user if user is not None and user.password == password_hash else None


def _keep(key: bytes, user: User) -> None:
    with _lock:
        if len(_verified) >= MOST_REMEMBERED:
            _verified.clear()
        _verified[key] = user.pk, user.password, time.monotonic() + REMEMBERED_SECONDS
