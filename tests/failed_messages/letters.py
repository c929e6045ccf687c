"""Dead letters as workers and RabbitMQ leave them in `billing.dlq`."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from kombu import Connection

from failed_messages.archiving import archive
from failed_messages.models import FailedMessage
from messaging.incoming import take_raw
from tests import broker

ORDER_ID = "674300000000000000000001"
BODY = json.dumps({"orderId": ORDER_ID, "userId": 500, "items": []}).encode()
TRACEBACK = 'Traceback (most recent call last):\n  File "billing/invoicing.py"\nTimeoutError: slow'


def certificate(**changes: Any) -> dict[str, Any]:
    """What billing writes when two attempts failed."""
    attempts = [
        {
            "number": number,
            "at": f"2026-03-01T10:00:{number:02}+00:00",
            "seconds": 0.012,
            "worker": "billing@test",
            "exception": "TimeoutError",
            "message": "card service timed out",
            "traceback": TRACEBACK,
        }
        for number in (1, 2)
    ]
    return {
        "id": str(uuid.uuid4()),
        "service": "billing",
        "reason": "attempts_used_up",
        "at": datetime.now(UTC).isoformat(),
        "handler": "billing.tasks.issue_invoice",
        "release": "0.1.0",
        "worker": "billing@test",
        "exception": "TimeoutError",
        "message": "card service timed out",
        "traceback": TRACEBACK,
        "attempts": attempts,
        "original": {
            "exchange": "order_events",
            "routing_key": "order.placed",
            "redelivered": False,
            "properties": {"message_id": f"order.placed:{ORDER_ID}"},
            "headers": {},
        },
        **changes,
    }


def bury(
    death: object = None,
    *,
    body: bytes = BODY,
    headers: dict[str, Any] | None = None,
    service: str = "billing",
    **properties: Any,
) -> None:
    """Publish a message to `<service>.dlq`, as a worker does that gives up."""
    death = certificate() if death is None else death
    broker.publish(
        body,
        exchange="dead_letters",
        routing_key=service,
        headers={
            "certificate": json.dumps(death) if isinstance(death, dict) else death,
            "order-version": 1,
            **(headers or {}),
        },
        **{
            "message_id": f"order.placed:{ORDER_ID}",
            "type": "order.placed",
            "correlation_id": ORDER_ID,
            "content_type": "application/json",
            **properties,
        },
    )


def bury_nameless(body: bytes = BODY) -> None:
    """Publish a message without any property or header."""
    broker.publish(body, exchange="dead_letters", routing_key="billing")


@contextmanager
def delivered(service: str = "billing") -> Iterator[Any]:
    """The next message of `<service>.dlq`; unless it is acked here, it is delivered again."""
    with Connection(os.environ["AMQP_URL"]) as connection:
        channel = connection.channel()
        take_raw(channel)
        raw = channel.basic_get(f"{service}.dlq")
        assert raw is not None, f"{service}.dlq is empty"
        yield channel.message_to_python(raw)


def archive_next(service: str = "billing") -> FailedMessage:
    """Store and ack the next message of `<service>.dlq`, as the archiver does."""
    with delivered(service) as message:
        stored = archive.store(message, service)
        message.ack()
        archive.acknowledged(stored)
    return record(stored.record_id)


def failed(**changes: Any) -> FailedMessage:
    """A stored failed message."""
    bury(**changes)
    return archive_next()


def record(id_: ObjectId | str) -> FailedMessage:
    """The record as it is in the database now."""
    return FailedMessage.objects.get(pk=id_)
