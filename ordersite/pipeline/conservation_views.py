"""The conservation line as JSON."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ordersite.pipeline import operations
from ordersite.pipeline.answers import Conservation
from ordersite.pipeline.conservation import Line, as_json, lines
from runtime.connecting import BROKER_ERRORS
from runtime.requests.problem_type import Problem
from runtime.requests.problem_types import RABBITMQ_UNAVAILABLE


class RabbitMQDown(Problem):
    """The queues cannot be counted while RabbitMQ does not answer."""

    problem_type = RABBITMQ_UNAVAILABLE
    default_detail = "RabbitMQ does not answer, so its queues cannot be counted. Try again later."


class ConservationView(APIView):
    """`GET /pipeline/conservation`: a line for each service."""

    scopes = {"GET": "pipeline:read"}
    operations = {"GET": operations.CONSERVATION}

    def get(self, request: Request) -> Response:
        found = current_lines()
        shown: Conservation = {
            "conserved": not any(line.unaccounted for line in found),
            "lines": [as_json(line) for line in found],
        }
        return Response(shown)


def current_lines() -> list[Line]:
    """Raises RabbitMQDown: the queues cannot be counted."""
    try:
        return lines()
    except BROKER_ERRORS as error:
        raise RabbitMQDown from error
