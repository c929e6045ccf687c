"""Replay: hand a failed message to the service that gave it up, and to no other.

A record is claimed by one conditional update before anything is published, so that any number of
clicks publish once. If the broker's answer stays away, the record stays claimed and
`publish_claimed` publishes it later: consumers are idempotent, so a second copy does no harm.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from django.conf import settings
from pymongo import ReturnDocument

from failed_messages.collection import failed_messages
from failed_messages.history import RABBITMQ, act
from failed_messages.models import Status
from failed_messages.verdict import Verdict, record_id, refusal
from messaging.errors import PublishError, Unroutable
from messaging.message import CONTENT_TYPE, Message
from messaging.publisher import Outgoing, Publisher

#: A claim younger than this may be about to be published by the one who made it.
CLAIM_SECONDS = 30
#: Claims that one run of `publish_claimed` takes up; the next run takes the rest.
CLAIMS_A_RUN = 500
#: A replay that ends neither way for so long may be replayed again.
LOST_AFTER = timedelta(hours=1)
#: AMQP's short strings, such as a message id, hold no more.
SHORTSTR_LIMIT_BYTES = 255

#: The headers that belong to the event itself.
EVENT_HEADERS = ("order-version", "traceparent")


NO_QUEUE = (
    "the queue {service} does not exist; run `python manage.py declare_topology`, then replay again"
)

log = logging.getLogger(__name__)


def replay(ids: Iterable[str | ObjectId], by: str, reason: str = "") -> list[Verdict]:
    """Publish failed messages again, each to the queue of its service alone.

    Args:
        ids: the records' ids; one that cannot be replayed is refused, the others go on.
        by: who replays, for the history.
        reason: why, for the history.

    Returns: a verdict for each id, in order.
    """
    claims = ((id_, _claim(id_, by, reason)) for id_ in ids)
    with Publisher(settings.AMQP_URL) as publisher:
        send = _Sender(publisher)
        return [send(record) if record else refusal(id_, "replay") for id_, record in claims]


def publish_claimed() -> int:
    """Publish what was claimed but never confirmed; the scheduler runs this every 30 s.

    Returns: how many records it took up.
    """
    stale = datetime.now(UTC) - timedelta(seconds=CLAIM_SECONDS)
    claimed = {"status": Status.REPLAYING, "replay.published_at": None, "replay.at": {"$lt": stale}}
    records = failed_messages().find(claimed).limit(CLAIMS_A_RUN)
    taken = 0
    with Publisher(settings.AMQP_URL) as publisher:
        send = _Sender(publisher)
        for taken, record in enumerate(records, start=1):  # noqa: B007
            send(record)
            if not send.broker_answers:
                break
    return taken


class _Sender:
    """Publishes claimed records until the broker stops answering."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.broker_answers = True

    def __call__(self, record: dict[str, Any]) -> Verdict:
        # After one timeout every other record would wait for its own: leave them claimed.
        if not self.broker_answers:
            return _left_claimed(record)
        try:
            self._publisher.publish([_outgoing(record)])
        except Unroutable:
            return _release(record, NO_QUEUE.format(**record))
        except PublishError:
            self.broker_answers = False
            return _left_claimed(record)
        except Exception as error:
            # Whatever is wrong with this one, it must not stand in the others' way for ever.
            log.exception("Failed message %s cannot be published", record["_id"])
            return _release(record, f"it cannot be published: {error!r}")
        return _published(record)


def _claim(id_: str | ObjectId, by: str, reason: str) -> dict[str, Any] | None:
    """The record, if it was ours to claim: of many who try at once, one gets it."""
    now = datetime.now(UTC)
    lost = {"status": Status.REPLAYING, "replay.published_at": {"$lt": now - LOST_AFTER}}
    return failed_messages().find_one_and_update(
        {"_id": record_id(id_), "body_cut": False, "$or": [{"status": Status.FAILED}, lost]},
        {
            "$set": {
                "status": Status.REPLAYING,
                "replay": {"id": str(uuid.uuid4()), "by": by, "at": now, "published_at": None},
            },
            "$push": {"history": act("replay", by, reason)},
        },
        return_document=ReturnDocument.AFTER,
    )


def _outgoing(record: dict[str, Any]) -> Outgoing:
    headers = json.loads(record["headers"])
    kept = {name: headers[name] for name in EVENT_HEADERS if name in headers}
    message = Message(
        body=bytes(record["body"]),
        type=_shortstr(record["type"]),
        message_id=_shortstr(record["message_id"]),
        correlation_id=_shortstr(record["correlation_id"]),
        timestamp=_timestamp(json.loads(record["properties"])),
        headers={**kept, "replay": record["replay"]["id"]},
        content_type=_shortstr(record["content_type"]) or CONTENT_TYPE,
    )
    return Outgoing(message, exchange="", routing_key=record["service"])


def _published(record: dict[str, Any]) -> Verdict:
    failed_messages().update_one(
        {"_id": record["_id"], "replay.id": record["replay"]["id"]},
        {"$set": {"replay.published_at": datetime.now(UTC)}},
    )
    return Verdict(str(record["_id"]), done=True, detail=f"sent to {record['service']}")


def _left_claimed(record: dict[str, Any]) -> Verdict:
    return Verdict(
        str(record["_id"]),
        done=True,
        detail="RabbitMQ does not answer; the scheduler sends it as soon as RabbitMQ does",
    )


def _release(record: dict[str, Any], detail: str) -> Verdict:
    """Nobody got the message, so it is failed as before."""
    failed_messages().update_one(
        {
            "_id": record["_id"],
            "status": Status.REPLAYING,
            "replay.id": record["replay"]["id"],
        },
        {
            "$set": {"status": Status.FAILED},
            "$push": {"history": act("replay refused", RABBITMQ, detail=detail)},
        },
    )
    return Verdict(str(record["_id"]), done=False, detail=detail)


def _timestamp(properties: dict[str, Any]) -> datetime:
    """When the event happened; now, where its publisher did not say so in seconds."""
    try:
        return datetime.fromtimestamp(properties["timestamp"], UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return datetime.now(UTC)


def _shortstr(text: str) -> str:
    return text.encode()[:SHORTSTR_LIMIT_BYTES].decode("utf-8", "ignore")
