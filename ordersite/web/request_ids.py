"""Middleware: a request's id in its answer and in the logs, where no ASGI server gave it one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponse

from runtime.requests.request_id import HEADER, current, named


class RequestIds:
    """The first of all, so that every answer has it; under `ordersite.asgi` all have it already."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if current.get():
            return self._get_response(request)
        given = request.headers.get(HEADER, "").encode("latin1", "replace")
        id_ = named(given)
        current.set(id_)
        response = self._get_response(request)
        response[HEADER] = id_.decode()
        return response


def forget(**signal: Any) -> None:
    """Django has logged the answer by now."""
    current.set(b"")


request_finished.connect(forget)
