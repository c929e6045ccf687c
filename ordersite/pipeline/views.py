"""The conservation line for programs: as JSON, and as metrics for Prometheus."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ordersite.pipeline.conservation import Line, as_json, lines
from runtime.connecting import BROKER_ERRORS

#: A line's numbers, each a state of an order.
STATES = ("done", "in_flight", "retrying", "failed", "discarded", "unaccounted")


class RabbitMQDown(APIException):
    """The queues cannot be counted while RabbitMQ does not answer."""

    status_code = 503
    default_detail = "RabbitMQ does not answer, so its queues cannot be counted. Try again later."


class ConservationView(APIView):
    """`GET /pipeline/conservation`: a line for each service."""

    def get(self, request: Request) -> Response:
        found = current_lines()
        return Response(
            {
                "conserved": not any(line.unaccounted for line in found),
                "lines": [as_json(line) for line in found],
            }
        )


class MetricsView(APIView):
    """`GET /metrics`: the same numbers in Prometheus's text format."""

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


def current_lines() -> list[Line]:
    """Raises RabbitMQDown: the queues cannot be counted."""
    try:
        return lines()
    except BROKER_ERRORS as error:
        raise RabbitMQDown from error
