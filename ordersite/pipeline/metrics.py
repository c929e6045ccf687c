"""`GET /metrics`: the conservation line in Prometheus's text format."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from rest_framework.request import Request
from rest_framework.views import APIView

from ordersite.pipeline.conservation_views import current_lines

#: A line's numbers, each a state of an order.
STATES = ("done", "in_flight", "retrying", "failed", "discarded", "unaccounted")


class MetricsView(APIView):
    """A gauge for each service and state; computed for each request."""

    def get(self, request: Request) -> HttpResponse:
        registry = CollectorRegistry()
        gauge = Gauge(
            "ordersite_orders",
            "Orders by service and by where they are; unaccounted must be 0",
            ["service", "state"],
            registry=registry,
        )
        for line in current_lines():
            numbers: dict[str, Any] = asdict(line)
            for state in STATES:
                gauge.labels(line.service, state).set(numbers[state])
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
