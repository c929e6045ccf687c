"""Middleware: an answer 304 tells no length; Django would have it tell that of its empty body."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse


class NotModified:
    """A cache takes the length for that of the answer that it keeps, which is longer.

    https://www.rfc-editor.org/rfc/rfc9110#section-8.6
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if response.status_code == HTTPStatus.NOT_MODIFIED:
            del response["Content-Length"]
        return response
