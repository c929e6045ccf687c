"""Views for everybody that only show something: a page, a document, whether the site is alive."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from ordersite.web import problems

SHOWING = ("GET", "HEAD")
METHODS = (*SHOWING, "OPTIONS")

View = Callable[..., HttpResponse]


def read_only(view: View) -> View:
    """The view for GET and HEAD; OPTIONS tells these, and any other method is a problem."""

    @csrf_exempt  # or a POST would meet Django's page about cookies
    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **parts: Any) -> HttpResponse:
        if request.method in SHOWING:
            return view(request, *args, **parts)
        if request.method == "OPTIONS":
            return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"Allow": ", ".join(METHODS)})
        return problems.method_not_allowed(str(request.method), METHODS)

    return shown
