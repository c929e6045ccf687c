"""A queue of a stranger's, which gets a copy of what the services publish."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from drills.run import Run


@contextmanager
def tapped(run: Run, exchanges: Iterable[str]) -> Iterator[str]:
    """The name of a queue that gets whatever these exchanges get, while the block runs."""
    name = f"drill-tap-{run.users[0]}"
    with run.site.amqp_connection() as connection:
        channel = connection.channel()
        channel.queue_declare(name, durable=True, auto_delete=False)
        for exchange in exchanges:
            channel.queue_bind(name, exchange, "#")
        try:
            yield name
        finally:
            channel.queue_delete(name)


def taken(run: Run, queue: str) -> list[Any]:
    """Every message that waits in this queue, taken out."""
    messages = []
    with run.site.amqp_connection() as connection:
        channel = connection.channel()
        while (message := channel.basic_get(queue, no_ack=True)) is not None:
            messages.append(message)
    return messages
