"""What a worker's main process counts: how calls end, how long they take, how long messages waited.

Its pool's children report to it how each call ended, so nothing is counted in them.
"""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Mapping, Sequence

from celery.exceptions import Ignore, Reject, Retry

from messaging.handling.settling import PutBack
from messaging.publishing.counts import CONFIRMED, PUBLISHED, add
from messaging.service import events
from runtime import presence
from runtime.metrics.counting import MESSAGES, SECONDS, WAITING_SECONDS, Counter, Histogram
from runtime.plural import counted

SETTLED = Counter(
    "ordersite_messages_total",
    "Messages by how a worker settled them: handled, retried, dead_lettered, put_back or returned",
    ("service", "type", "outcome"),
)
BATCH = Histogram(
    "ordersite_batch_messages",
    "Messages that shared a call of a handler",
    ("service", "type"),
    MESSAGES,
)
HANDLING = Histogram(
    "ordersite_handler_seconds",
    "From the start of a call of a handler to its outcome",
    ("service", "type"),
    SECONDS,
)
SENT_TO_HANDLED = Histogram(
    "ordersite_sent_to_handled_seconds",
    "From an event to the end of its handling; events are dated to the second",
    ("service", "type"),
    WAITING_SECONDS,
)

HANDLED, DEAD_LETTERED = "handled", "dead_lettered"


def called(service: str, type_: str, seconds: float, messages: int = 1) -> None:
    """A call of a handler took so long, for so many messages."""
    HANDLING.observe(seconds, service, type_)
    BATCH.observe(messages, service, type_)


def settled(service: str, type_: str, outcome: str, count: int = 1, message_id: str = "") -> None:
    """So many messages, or the one of that id, were settled so."""
    presence.did(outcome, type_ or "a message", message_id or f"({counted(count, 'message')})")
    SETTLED.add(service, type_, outcome, count=count)


def handled(
    service: str, type_: str, sent_at_seconds: Sequence[object], message_id: str = ""
) -> None:
    """Messages were handled.

    Args:
        sent_at_seconds: since the epoch, as their publishers say; whatever else they say is left
            out.
        message_id: of the only one.
    """
    settled(service, type_, HANDLED, len(sent_at_seconds), message_id)
    now = time.time()
    # Dated to the second, as they are, those of a batch have few dates.
    for sent_at, count in Tally(sent_at_seconds).items():
        if isinstance(sent_at, int):
            SENT_TO_HANDLED.observe(max(0.0, now - sent_at), service, type_, times=count)


def led_to(types: Mapping[str, int]) -> None:
    """A call has published so many events of each type, and RabbitMQ has them."""
    add(PUBLISHED, types)
    add(CONFIRMED, types)


def types_in(result: str) -> Mapping[str, int]:
    """How many events of each type a task says that it has published.

    Args:
        result: as Celery tells it, which is the `repr` of what the task returned.
    """
    return Tally(each for each in result.strip("'").split() if each in events())


def outcome_of(error: BaseException | None) -> str:
    """How a message is settled whose call ended with this error."""
    if isinstance(error, Retry):
        return "retried"
    if isinstance(error, PutBack):
        return "put_back"
    if isinstance(error, Ignore) or (isinstance(error, Reject) and not error.requeue):
        return DEAD_LETTERED
    # RabbitMQ gets it back: it was not published, or the child was killed.
    return "returned"
