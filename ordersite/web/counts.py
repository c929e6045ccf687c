"""What the web server counts: its answers by route and status, and how long they took.

It takes some 0.8 µs a request. Addresses that are no route's have none, as there may be any number
of them.
"""

from __future__ import annotations

import time

from ordersite.web.body import Event
from ordersite.web.scope import BEGAN
from runtime.metrics.counting import SECONDS, Counter, Histogram

REQUESTS = Counter(
    "ordersite_http_requests_total",
    "Answered requests by method, route and status; those that meet no route have none",
    ("method", "route", "status"),
)
ANSWERING = Histogram(
    "ordersite_http_request_duration_seconds",
    "From the head of a request to the head of its answer",
    ("method", "route"),
    SECONDS,
)

#: What the API knows; any other method is one of these to nobody.
METHODS = {each: each for each in ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE")}
OTHER = "other"


def answered(scope: Event, status: int, route: str = "") -> None:
    """Count an answer; `route` is as `/orders/{order_id}`, empty where the request met none."""
    method = METHODS.get(scope["method"], OTHER)
    REQUESTS.add(method, route, str(status))
    if began := scope.get(BEGAN):
        ANSWERING.observe(time.perf_counter() - began, method, route)
