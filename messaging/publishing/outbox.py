"""What every outbox has in common: events wait in the documents of the things that happened.

A document notes with the very write that makes something happen that its event is pending, and no
longer does so once RabbitMQ has confirmed the event. A crash at any point leaves either nothing or
an event that still waits; one that is published twice is the same message twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from messaging.errors import PublishError
from messaging.publishing.counts import publish_counted
from messaging.publishing.publisher import Outgoing, Publisher
from runtime.mongodb_clock import EPOCH

#: The same condition as the partial index's.
IS_PENDING = {"pending_since": {"$gt": EPOCH}}
#: So that a long outage costs no more each time somebody asks how many wait.
MOST_COUNTED = 100_000


def publish_pending(
    publisher: Publisher,
    outgoing: Sequence[Outgoing],
    mark_published: Callable[[Iterable[int]], None],
) -> None:
    """Publish the events, and mark those that RabbitMQ has confirmed, also where it has not all.

    Args:
        mark_published: takes the indexes of events out of the outbox.

    Raises:
        PublishError: it has not confirmed all.
        Exception: one of them cannot be published; none is marked.
    """
    try:
        publish_counted(publisher, outgoing)
    except PublishError as error:
        mark_published(sorted(error.confirmed))
        raise
    mark_published(range(len(outgoing)))


def oldest_pending_since(collection: Collection[dict[str, Any]]) -> datetime | None:
    """When the event that waits longest happened; None when none is pending.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    oldest = collection.find_one(IS_PENDING, {"pending_since": 1}, sort=[("pending_since", 1)])
    return oldest["pending_since"] if oldest else None


def pending(collection: Collection[dict[str, Any]]) -> int:
    """In how many documents events wait, up to `MOST_COUNTED`; raises what the other does."""
    return collection.count_documents(IS_PENDING, limit=MOST_COUNTED)
