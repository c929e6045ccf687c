"""What is in a queue, read or taken from outside."""

from __future__ import annotations

from functools import partial

import amqp

from drills.run import Run


def waiting(run: Run, queue: str) -> list[amqp.Message]:
    """What is in the queue now; all of it stays there."""
    with run.site.amqp_connection() as connection:
        channel = connection.channel()
        messages = got(channel, queue)
        # Whatever is unacked goes back.
        channel.close()
    return messages


def taken(run: Run, queue: str) -> list[amqp.Message]:
    """Everything that is in the queue now, taken out."""
    with run.site.amqp_connection() as connection:
        return got(connection.channel(), queue, no_ack=True)


def got(channel: amqp.Channel, queue: str, *, no_ack: bool = False) -> list[amqp.Message]:
    """What the queue gives until it is empty; without `no_ack` the channel holds it."""
    return [*iter(partial(channel.basic_get, queue, no_ack=no_ack), None)]
