"""Middleware: a probe of this process is answered with any host name.

It asks at an address (`Host: 10.0.0.7:8000`), which no list of hosts has, every few seconds, and is
told yes or no alone.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from ordersite.pipeline import health_views
from ordersite.web.route import ROUTE

PROBES = {"/health/live": health_views.live, "/health/serving": health_views.serving}


class Probes:
    """Answers the probes, and nothing else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path_info)
        if probe is None:
            return self._get_response(request)
        # No route is looked for.
        request.META[ROUTE] = request.path_info
        return probe(request)
