"""What the relay counts: a few additions for each batch, and one for each event."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Sequence

from orders.outbox.store import Pending
from runtime.metrics.counting import MESSAGES, WAITING_SECONDS, Counter, Histogram

PUBLISHED = Counter(
    "ordersite_published_total",
    "Events that the relay gave to RabbitMQ; one that is published again counts again",
    ("type",),
)
CONFIRMED = Counter(
    "ordersite_confirmed_total",
    "Events that RabbitMQ confirmed, and that left the outbox",
    ("type",),
)
BATCH = Histogram(
    "ordersite_relay_batch_messages",
    "Events that the relay published at once",
    (),
    MESSAGES,
)
LAG = Histogram(
    "ordersite_relay_lag_seconds",
    "From an event to its confirm, by the clocks of its web process and the relay",
    (),
    WAITING_SECONDS,
)


def published(pending: Sequence[Pending]) -> None:
    """The relay publishes these at once."""
    if pending:
        BATCH.observe(len(pending))
        for type_, count in Tally(each.message.type for each in pending).items():
            PUBLISHED.add(type_, count=count)


def confirmed(pending: Sequence[Pending]) -> None:
    """RabbitMQ has these."""
    if not pending:
        return
    now = time.time()
    for type_, count in Tally(each.message.type for each in pending).items():
        CONFIRMED.add(type_, count=count)
    LAG.observe_all([max(0.0, now - each.message.timestamp.timestamp()) for each in pending])
