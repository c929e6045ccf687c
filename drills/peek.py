"""What is in a queue, seen by a stranger who takes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

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


class Tap:
    """Every message that some exchanges have had since it was opened."""

    def __init__(self, channel: amqp.Channel, exchanges: Sequence[str]) -> None:
        self._channel = channel
        self._queue = channel.queue_declare(exclusive=True).queue
        for exchange in exchanges:
            channel.queue_bind(self._queue, exchange)
        #: How often each message came, by its id.
        self.counts: Counter[str] = Counter()

    def take(self) -> Counter[str]:
        """The counts, those of what has come meanwhile among them."""
        while (message := self._channel.basic_get(self._queue, no_ack=True)) is not None:
            self.counts[message.properties.get("message_id", "")] += 1
        return self.counts


@contextmanager
def tap(run: Run, *exchanges: str) -> Iterator[Tap]:
    """Hear everything that is published to these exchanges."""
    with run.site.amqp_connection() as connection:
        yield Tap(connection.channel(), exchanges)
