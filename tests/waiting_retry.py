"""A message that waits for its next attempt, in RabbitMQ and in the notes of retries."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime, timedelta

import amqp
from kombu import Connection

from messaging.certificate import Attempt, encode_attempts
from messaging.handling import retry_notes
from messaging.topology import by_name

FAILED = Attempt(1, "2026-11-28T00:00:00+00:00", 0.1, "billing@here", "TimeoutError", "timed out")
#: Longer than any test.
WAITS_MILLISECONDS = 600_000


def a_retry_waits(order_id: str, body: bytes = b"{}", queue: str = "") -> str:
    """Billing has failed for the order's event once; the retry's id.

    Without a queue it has one of its own, which ends with its first consumer.
    """
    message_id = f"order.placed:{order_id}"
    with Connection(os.environ["AMQP_URL"], transport_options={"confirm_publish": True}) as broker:
        channel = broker.channel()
        queue = queue or own_queue(channel)
        headers = {"attempts": encode_attempts((FAILED,))}
        message = amqp.Message(
            body, message_id=message_id, type="order.placed", application_headers=headers
        )
        channel.basic_publish(message, exchange="", routing_key=queue)
    note = note_of(order_id, message_id, queue)
    retry_notes.notes().insert_one(note)
    return retry_notes.id_of(note)


def own_queue(channel: amqp.Channel) -> str:
    queue = f"waiting.{uuid.uuid4()}"
    to_billing = {
        "x-message-ttl": WAITS_MILLISECONDS,
        "x-dead-letter-exchange": by_name.name,
        "x-dead-letter-routing-key": "billing",
    }
    channel.queue_declare(queue, auto_delete=True, arguments=to_billing)
    return queue


def note_of(order_id: str, message_id: str, queue: str) -> dict:
    now = datetime.now(UTC)
    return {
        "_id": f"{order_id} billing {message_id}",
        "service": "billing",
        "type": "order.placed",
        "order_id": order_id,
        "message_id": message_id,
        "attempts": [{"number": 1, "at": now.isoformat(), "message": "card service timed out"}],
        "most_attempts": 5,
        "queue": queue,
        "due_at": now + timedelta(milliseconds=WAITS_MILLISECONDS),
        "at": now,
    }
