"""A turn: an endpoint gets what is due, one after the other, for a few seconds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from pymongo import ReturnDocument

from messaging.isolation import isolated
from webhooks import outcomes, waking
from webhooks.rotation import valid
from webhooks.sending import Sent, send
from webhooks.store import Document, deliveries
from webhooks.traces import in_its_trace

#: Then the others come first again.
TURN_SECONDS = 5.0

CANNOT_SEND = (
    "The delivery %s to the webhook endpoint %s is given up, as its document is not as this "
    "release stores one: an attempt of it cannot be made, or cannot be noted. The others are sent."
)

Send = Callable[..., Sent]

logger = logging.getLogger(__name__)


def take_turn(endpoint: Document, is_over: Callable[[], bool], send: Send = send) -> None:
    """Send what is due to an endpoint that was claimed; a failure or a slow answer ends the turn.

    Args:
        is_over: whether the process is to stop.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer. What was sent and not noted is sent
            once more.
    """
    try:
        for delivery in taken(endpoint["_id"], is_over):
            now = delivery["due_at"] - waking.LEASE
            # Not the delivery's fault, where they cannot be read.
            url, secrets = str(endpoint["url"]), valid(endpoint["secrets"], now)
            sent = None
            with isolated(logger, CANNOT_SEND, delivery["_id"], endpoint["_id"]):
                sent = attempted(delivery, url, secrets, now, send)
            if sent is None:
                # It would be sent again and again, as long as none of it can be noted.
                outcomes.give_up(delivery, now)
                continue
            outcomes.note_health(endpoint, sent)
            if sent.is_slow or not sent.is_success:
                break
    finally:
        waking.settle(endpoint)


def attempted(
    delivery: Document, url: str, secrets: Sequence[str], now: datetime, send: Send
) -> Sent:
    """One attempt, which the delivery has noted.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer, or refuses to note it.
        Exception: the delivery's document cannot be read.
    """
    post = partial(send, url, delivery["message_id"], delivery["body"], secrets, now)
    sent = in_its_trace(delivery, url, post)
    outcomes.note_attempt(delivery, sent)
    return sent


def taken(endpoint: str, is_over: Callable[[], bool]) -> Iterator[Document]:
    """The endpoint's deliveries that are due, each ours until it is settled or the lease ends."""
    ends_at = time.monotonic() + TURN_SECONDS
    while not is_over() and time.monotonic() < ends_at:
        delivery = take(endpoint)
        if delivery is None:
            return
        yield delivery


def take(endpoint: str) -> Document | None:
    due: dict[str, Any] = {
        "endpoint": endpoint,
        "state": "pending",
        "$expr": {"$lte": ["$due_at", "$$NOW"]},
    }
    leased = {"$add": ["$$NOW", waking.LEASE // waking.MILLISECOND]}
    return deliveries().find_one_and_update(
        due,
        [{"$set": {"due_at": leased}}],
        sort=[("due_at", 1)],
        return_document=ReturnDocument.AFTER,
    )
