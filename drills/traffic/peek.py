"""What is in a queue, read or taken from outside."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import amqp

if TYPE_CHECKING:
    from drills.run import Run

#: By the protocol; none means no limit.
MOST_PREFETCHED = 65_535
#: How long the next message may take to come.
NEXT_SECONDS = 5


def waiting(run: Run, queue: str, most: int | None = None) -> list[amqp.Message]:
    """The next messages of the queue, or all that are ready; they stay there.

    One consumer reads them. With `basic.get` each message of a quorum queue has a consumer of its
    own. A cluster of RabbitMQ 3.10.8 lost some of 100 that were read so and given back at once, and
    delivered others twice, where a consumer had been cancelled while it held some, as workers do.
    Without `basic.get`, or without cancelling, it lost none.
    """
    messages: list[amqp.Message] = []
    with run.site.amqp_connection() as connection:
        channel = connection.channel()
        ready = channel.queue_declare(queue, passive=True).message_count
        wanted = ready if most is None else min(ready, most)
        if wanted:
            channel.basic_qos(0, min(wanted, MOST_PREFETCHED), False)
            channel.basic_consume(queue, callback=messages.append)
        while len(messages) < wanted:
            try:
                connection.drain_events(timeout=NEXT_SECONDS)
            except TimeoutError:
                # Somebody else has got it.
                break
        # Whatever is unacked goes back.
        channel.close()
    return messages


def taken(run: Run, queue: str) -> list[amqp.Message]:
    """Everything that is in the queue now, taken out."""
    with run.site.amqp_connection() as connection:
        return emptied(connection.channel(), queue)


def emptied(channel: amqp.Channel, queue: str) -> list[amqp.Message]:
    """What the queue gives until it is empty."""
    return [*iter(partial(channel.basic_get, queue, no_ack=True), None)]
