"""Whether anything may still be on its way to a service."""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings

from messaging.queue_state import queue_state
from messaging.topology import queues
from ordersite.broker import management_api
from runtime.connecting import connect, connection_to

CONNECT_SECONDS = 5
UNSEEN = (
    "RabbitMQ's management API does not say what workers hold: set RABBITMQ_MANAGEMENT_URL, or "
    "stop the workers, then run this again"
)
BUSY = "{} has messages waiting: run this again when it has none"


class Waiting(NamedTuple):
    """Messages on their way; each is told by the first part of its queue's name, its service."""

    #: Where some are ready for a worker, in a retry queue or dead-lettered.
    ready: frozenset[str]
    #: Where a worker holds some.
    held: frozenset[str]
    #: Where a worker may hold some that nobody can see.
    unseen: frozenset[str]

    def why_not_idle(self, *names: str) -> str:
        """Why it is not certain that nothing is on its way there; empty where it is."""
        if busy := sorted((self.ready | self.held).intersection(names)):
            return BUSY.format(" and ".join(busy))
        return UNSEEN if self.unseen.intersection(names) else ""


def waiting() -> Waiting:
    """Of all queues; workers hold messages that AMQP does not count, and the management API does.

    Raises:
        OSError, amqp.AMQPError: RabbitMQ did not answer.
    """
    by_workers = held_by_workers()
    ready, held, unseen = set(), set(), set()
    with connection_to(settings.AMQP_URL, within_seconds=CONNECT_SECONDS) as broker:
        connect(broker, reraise_as_library_errors=False)
        for queue in queues():
            service = queue.name.partition(".")[0]
            state = queue_state(broker, queue.name)
            if state is None:
                continue
            if state.messages:
                ready.add(service)
            if (by_workers or {}).get(queue.name):
                held.add(service)
            if state.consumers and by_workers is None:
                unseen.add(service)
    return Waiting(frozenset(ready), frozenset(held), frozenset(unseen))


def held_by_workers() -> dict[str, int] | None:
    """Messages that are unacked, by queue; None where the management API does not say."""
    if not settings.RABBITMQ_MANAGEMENT_URL:
        return None
    try:
        found = management_api.get("queues").content
    except management_api.Unavailable:
        return None
    return {each["name"]: int(each.get("messages_unacknowledged") or 0) for each in found}
