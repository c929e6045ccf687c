"""Middleware: what asks this very process is answered with any host name.

A probe asks at an address (`Host: 10.0.0.7:8000`), which no list of hosts has, every few seconds,
and is told yes or no alone. Prometheus finds each web server by its address, too, and needs a key.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from ordersite.pipeline import health_views
from ordersite.web.route import ROUTE

PROBES = {"/health/live": health_views.live, "/health/serving": health_views.serving}
METRICS = "/metrics"


class Probes:
    """Answers the probes, and lets Prometheus ask."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == METRICS and "HTTP_HOST" in request.META:
            take_any_host(request)
        probe = PROBES.get(request.path_info)
        if probe is None:
            return self._get_response(request)
        # No route is looked for.
        request.META[ROUTE] = request.path_info
        return probe(request)


def take_any_host(request: HttpRequest) -> None:
    """Let the request name a host of the site's where Django would refuse the one that it names."""
    try:
        request.get_host()
    except DisallowedHost:
        request.META["HTTP_HOST"] = a_host()


def a_host() -> str:
    """One that Django allows, whatever address the site has."""
    # `.example.com` is that host and all below it; `*` is every host.
    names = (each.removeprefix(".") for each in settings.ALLOWED_HOSTS if each != "*")
    return next(filter(None, names), "localhost")
