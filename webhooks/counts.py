"""What the deliverer counts."""

from __future__ import annotations

from runtime.metrics.counting import SECONDS, Histogram

REQUESTS = Histogram(
    "ordersite_webhook_request_seconds",
    "From the start of a request to a customer's endpoint to its outcome: succeeded or failed",
    ("outcome",),
    SECONDS,
)
