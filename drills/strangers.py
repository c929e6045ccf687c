"""Publishers that are not ours, and what they get wrong."""

from __future__ import annotations

import uuid

from kombu import Connection

from drills.run import Run

NONSENSE = (b"{", b"[]", b'{"orderId": {"$gt": ""}}', b"\xff\xfe", b'{"userId": 7, "items": []}')


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
