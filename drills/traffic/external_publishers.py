"""Publishers that are not ours, and what they get wrong."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import amqp
from kombu import Connection

if TYPE_CHECKING:
    from drills.run import Run


UNCONFIRMED_MESSAGES = 500
CONFIRM_SECONDS = 10

NONSENSE = (b"{", b"[]", b'{"orderId": {"$gt": ""}}', b"\xff\xfe", b'{"userId": 7, "items": []}')


def publish_all(run: Run, outgoing: Iterable[tuple[str, Any]]) -> None:
    """Publish each message, to its queue alone; return when all are confirmed."""
    confirmed: set[int] = set()
    with run.site.amqp_connection() as connection:
        channel = connection.channel()
        channel.events["basic_ack"].add(
            lambda tag, multiple: confirmed.update(range(1, tag + 1) if multiple else [tag])
        )
        channel.confirm_select()
        number = 0
        for number, (queue, message) in enumerate(outgoing, 1):
            copy = amqp.Message(message.body, **message.properties)
            channel.basic_publish(copy, exchange="", routing_key=queue)
            while number - len(confirmed) > UNCONFIRMED_MESSAGES:
                connection.drain_events(timeout=CONFIRM_SECONDS)
        while len(confirmed) < number:
            connection.drain_events(timeout=CONFIRM_SECONDS)


def publish_nonsense(run: Run, count: int) -> list[str]:
    """Publish bad messages to `order_events`, past the proxies; return their ids.

    Each must end as a failed message of each service that hears of it.
    """
    ids = [f"nonsense-{uuid.UUID(int=run.chance.getrandbits(128))}" for _ in range(count)]
    with Connection(run.site.amqp_url(), transport_options={"confirm_publish": True}) as broker:
        producer = broker.Producer()
        for message_id in ids:
            producer.publish(
                run.chance.choice(NONSENSE),
                exchange="order_events",
                content_type="application/json",
                content_encoding="utf-8",
                message_id=message_id,
                delivery_mode=2,
            )
    run.bad_messages.extend(ids)
    return ids
