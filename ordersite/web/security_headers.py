"""Middleware: what every answer asks of a browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from functools import lru_cache
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse

#: Django's own pages for developers, which have their styles and scripts in them.
DEVELOPERS_PAGES = (HTTPStatus.NOT_FOUND, HTTPStatus.INTERNAL_SERVER_ERROR)


class SecurityHeaders:
    """Adds what Django 5.2 does not: a Content-Security-Policy; and HSTS also behind a proxy.

    Django's own middleware sends HSTS only where it sees https, which a proxy before it ends. A
    browser heeds the header over https alone, so it may be sent always.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        is_developers = settings.DEBUG and response.status_code in DEVELOPERS_PAGES
        for name, value in headers().items():
            if not (is_developers and name == "Content-Security-Policy"):
                response.headers.setdefault(name, value)
        return response


def headers() -> Mapping[str, str]:
    return _headers(tuple(settings.SECURE_CSP.items()), settings.SECURE_HSTS_SECONDS)


@lru_cache(maxsize=10)
def _headers(policy: tuple[tuple[str, str], ...], hsts_seconds: int) -> Mapping[str, str]:
    named = {"Content-Security-Policy": "; ".join(" ".join(each) for each in policy)}
    if hsts_seconds:
        named["Strict-Transport-Security"] = f"max-age={hsts_seconds}; includeSubDomains"
    return named


def lines() -> list[tuple[bytes, bytes]]:
    """The same as a server sends them."""
    return [(name.lower().encode(), value.encode()) for name, value in headers().items()]


def of_files(given: MutableMapping[str, str], path: str, url: str) -> None:
    """The same for a static file, which no middleware sees; WhiteNoise calls it once for each."""
    given["X-Content-Type-Options"] = "nosniff"
    for name, value in headers().items():
        given[name] = value
