"""A copy of what is published, for an external subscriber."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import amqp

from drills.traffic.peek import emptied

if TYPE_CHECKING:
    from drills.run import Run


class Tap:
    """Every message that some exchanges have had since it was opened."""

    def __init__(self, channel: amqp.Channel, exchanges: Sequence[str]) -> None:
        self._channel = channel
        self._heard: list[amqp.Message] = []
        self._queue = channel.queue_declare(exclusive=True).queue
        for exchange in exchanges:
            # A topic exchange wants a pattern; a fanout ignores it.
            channel.queue_bind(self._queue, exchange, "#")

    def messages(self) -> list[amqp.Message]:
        """All of them, oldest first."""
        self._heard += emptied(self._channel, self._queue)
        return self._heard

    def counts(self) -> Counter[str]:
        """How often each came, by message id."""
        return Counter(each.properties.get("message_id", "") for each in self.messages())


@contextmanager
def tapped(run: Run, *exchanges: str) -> Iterator[Tap]:
    """Hear everything that is published to these exchanges."""
    with run.site.amqp_connection() as connection:
        yield Tap(connection.channel(), exchanges)
