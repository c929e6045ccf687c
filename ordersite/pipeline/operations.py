"""The routes about the pipeline and an order's way through it, for their clients."""

from __future__ import annotations

from typing import Any

from orders.answers import OrderId
from ordersite.pipeline import answers
from ordersite.pipeline.timeline import Timeline
from runtime.requests.operation import Answer, Header, Operation
from runtime.requests.problem_types import RABBITMQ_UNAVAILABLE

PATH = {"order_id": OrderId}
TIMELINE_JSON: dict[str, Any] = {
    "orderId": "674300000000000000000001",
    "status": "placed",
    "services": [
        {"service": "orders", "kind": "done", "outcome": "placed"},
        {"service": "billing", "kind": "waiting", "outcome": "waiting"},
        {"service": "inventory", "kind": "waiting", "outcome": "waiting"},
    ],
    "steps": [
        {
            "service": "orders",
            "kind": "done",
            "outcome": "placed",
            "at": "2026-11-28T12:00:00Z",
            "attempt": None,
            "detail": None,
            "dueAt": None,
            "failedMessageId": None,
            "retryId": None,
        }
    ],
}
EVENTS = """\
retry: 2000

id: 5e0c1b2a3d4f5061
event: timeline
data: {"orderId":"674300000000000000000001","status":"placed","services":[],"steps":[]}

"""

TIMELINE = Operation(
    id="getTimeline",
    summary="Every step of every service about an order",
    path=PATH,
    answers={200: Answer("The timeline.", Timeline, TIMELINE_JSON)},
)
TIMELINE_EVENTS = Operation(
    id="streamTimeline",
    summary="An order's timeline at once and after every change, as server-sent events",
    description="Each event `timeline` is the whole timeline. A stream ends after a minute, and an "
    "EventSource comes back by itself.",
    path=PATH,
    headers=(
        Header("Last-Event-ID", "The last event that the client has seen.", "5e0c1b2a3d4f5061"),
    ),
    answers={200: Answer("The events.", other={"text/event-stream": EVENTS})},
)
CONSERVATION = Operation(
    id="getConservation",
    summary="Where every order is, for each service",
    description="accepted = done + in flight + retrying + failed + discarded + unaccounted",
    answers={
        200: Answer(
            "The lines.",
            answers.Conservation,
            {
                "conserved": True,
                "lines": [
                    {
                        "service": "billing",
                        "accepted": 1,
                        "done": 0,
                        "inFlight": 1,
                        "retrying": 0,
                        "failed": 0,
                        "discarded": 0,
                        "unaccounted": 0,
                        "orders": [],
                    }
                ],
            },
        )
    },
    problems=(RABBITMQ_UNAVAILABLE,),
)
METRICS = Operation(
    id="getMetrics",
    summary="The pipeline in Prometheus's text format",
    answers={200: Answer("The metrics.", other={"text/plain": "# HELP ordersite_orders …\n"})},
)
LIVE = Operation(
    id="getLiveness",
    summary="Whether this process answers at all",
    answers={200: Answer("It does.", answers.Live, {"status": "live"})},
)
SERVING = Operation(
    id="getServing",
    summary="Whether this process can take an order, which needs MongoDB and its migrations alone",
    answers={
        200: Answer("It can.", answers.Serving, {"status": "serving"}),
        503: Answer("It cannot.", answers.Serving, {"status": "not serving"}),
    },
)
READY = Operation(
    id="getReadiness",
    summary="Whether every part of the pipeline is there",
    description="What is missing is told with the scope `pipeline:read`. The answer may be a "
    "second old.",
    answers={
        200: Answer("It is.", answers.Readiness, {"status": "ready"}),
        503: Answer("Something is missing.", answers.Readiness, {"status": "not ready"}),
    },
)
