"""What the relay counts, a batch at a time."""

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
    "From the oldest event of a batch to its confirm, by the clocks of web and the relay",
    (),
    WAITING_SECONDS,
)


def published(pending: Sequence[Pending]) -> None:
    """The relay publishes these at once."""
    if pending:
        count_types(PUBLISHED, pending)
        BATCH.observe(len(pending))


def confirmed(pending: Sequence[Pending]) -> None:
    """RabbitMQ has these, the oldest first."""
    if not pending:
        return
    count_types(CONFIRMED, pending)
    LAG.observe(max(0.0, time.time() - pending[0].message.timestamp.timestamp()))


def count_types(counter: Counter, pending: Sequence[Pending]) -> None:
    for type_, count in Tally([each.message.type for each in pending]).items():
        counter.add(type_, count=count)
