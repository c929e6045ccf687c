"""A turn: an endpoint gets what is due, one after the other, for a few seconds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any

from msgspec import Meta, Struct, convert
from pymongo import ReturnDocument
from pymongo.errors import PyMongoError

from messaging.isolation import isolated
from messaging.outages import is_about_the_document
from webhooks import outcomes, waking
from webhooks.rotation import valid
from webhooks.sending import Sent, send
from webhooks.store import Document, deliveries
from webhooks.traces import in_its_trace

#: Then the others come first again.
TURN_SECONDS = 5.0

GIVEN_UP = (
    "The delivery %s to the webhook endpoint %s is given up, as its document is not as this "
    "release stores one: an attempt of it cannot be made, or cannot be noted. The others are sent."
)

Send = Callable[..., Sent]

logger = logging.getLogger(__name__)


class Sendable(Struct, frozen=True):
    """What an attempt needs of a delivery's document."""

    message_id: str
    body: str
    tries: Annotated[int, Meta(ge=0)]
    attempts: list[Any]


def take_turn(endpoint: Document, is_over: Callable[[], bool], send: Send = send) -> None:
    """Send what is due to an endpoint that was claimed; a failure or a slow answer ends the turn.

    Args:
        is_over: whether the process is to stop.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer. What was sent and not noted is sent
            once more.
        Exception: the endpoint's document cannot be read, or this process cannot send. What was
            to be sent waits for another turn.
    """
    try:
        for delivery in taken(endpoint["_id"], is_over):
            now = delivery["due_at"] - waking.LEASE
            url, secrets = str(endpoint["url"]), valid(endpoint["secrets"], now)
            found = None
            # Nothing but a fault of its own gives a delivery up: one of the endpoint, of this
            # machine or of MongoDB would give up all that is due.
            with isolated(logger, GIVEN_UP, delivery["_id"], endpoint["_id"]):
                found = convert(delivery, Sendable)
            if found is None:
                outcomes.give_up(delivery, now)
                continue
            post = partial(send, url, found.message_id, found.body, secrets, now)
            sent = in_its_trace(delivery, url, post)
            note(delivery, sent)
            outcomes.note_health(endpoint, sent)
            if sent.is_slow or not sent.is_success:
                break
    finally:
        waking.settle(endpoint)


def note(delivery: Document, sent: Sent) -> None:
    """Note the attempt; a delivery is given up whose document takes none.

    It would be sent again and again.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer, or takes no writes.
    """
    try:
        outcomes.note_attempt(delivery, sent)
    except PyMongoError as error:
        if not is_about_the_document(error):
            raise
        logger.exception(GIVEN_UP, delivery["_id"], delivery["endpoint"])
        outcomes.give_up(delivery, sent.at)


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
