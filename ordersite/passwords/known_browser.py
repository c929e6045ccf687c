"""Browsers that a user has logged in with, known by a cookie: others' wrong passwords keep no user
out of those.

https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse

COOKIE = SALT = "known_browser"
LASTS = timedelta(days=90)


def remember(response: HttpResponse, name: str) -> None:
    """Give the browser the cookie of the user who has just logged in with it."""
    response.set_signed_cookie(
        COOKIE,
        _stands_for(name),
        salt=SALT,
        max_age=LASTS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def is_known(request: HttpRequest | None, name: str) -> bool:
    """Whether the user has logged in with the request's browser lately."""
    if request is None:
        return False
    stands_for = request.get_signed_cookie(COOKIE, default="", salt=SALT, max_age=LASTS)
    return stands_for == _stands_for(name)


def _stands_for(name: str) -> str:
    # Not the name, which anybody at the browser could read, and which may be in any letters.
    return hashlib.sha256(name.lower().encode("utf-8", "replace")).hexdigest()
