"""What the relay measures of its batches; see `messaging.publishing.counts` for their events."""

from __future__ import annotations

import time
from collections.abc import Sequence

from orders.outbox.store import Pending
from runtime.metrics.counting import MESSAGES, WAITING_SECONDS, Histogram

BATCH = Histogram(
    "ordersite_relay_batch_messages",
    "Events that the relay published at once",
    (),
    MESSAGES,
)
LAG = Histogram(
    "ordersite_relay_lag_seconds",
    "From the oldest event of a batch to its confirm, by the clocks of web and the relay",
    (),
    WAITING_SECONDS,
)


def published(pending: Sequence[Pending]) -> None:
    """The relay publishes these at once."""
    if pending:
        BATCH.observe(len(pending))


def confirmed(pending: Sequence[Pending]) -> None:
    """RabbitMQ has these, the oldest first."""
    if pending:
        LAG.observe(max(0.0, time.time() - pending[0].message.timestamp.timestamp()))
