"""What is in a queue, seen or taken by a stranger."""

from __future__ import annotations

import amqp

from drills.run import Run


def waiting(run: Run, queue: str) -> list[amqp.Message]:
    """What is in the queue now; all of it stays there."""
    messages = []
    with run.site.amqp_connection() as connection:
        channel = connection.channel()
        while (message := channel.basic_get(queue)) is not None:
            messages.append(message)
        # Whatever is unacked goes back.
        channel.close()
    return messages


def taken(run: Run, queue: str) -> list[amqp.Message]:
    """Everything that is in the queue now, taken out."""
    messages = []
    with run.site.amqp_connection() as connection:
        channel = connection.channel()
        while (message := channel.basic_get(queue, no_ack=True)) is not None:
            messages.append(message)
    return messages
