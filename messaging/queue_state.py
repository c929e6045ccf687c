"""What RabbitMQ has of a queue or an exchange: whether it exists, its messages, its consumers.

Each is one passive declaration. RabbitMQ closes the channel on which something was missing, so what
is asked next needs another one.
https://www.rabbitmq.com/docs/queues#names
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from amqp import NotFound
from kombu import Connection, Exchange, Queue

from messaging.topology import queues


class QueueState(NamedTuple):
    """How much is in a queue."""

    #: Ready ones; what a consumer holds unacked is not counted.
    messages: int
    consumers: int


def queue_state(broker: Connection, queue: str) -> QueueState | None:
    """The queue's state; None where it is not declared.

    Raises:
        OSError, amqp.AMQPError: RabbitMQ did not answer.
    """
    try:
        with broker.channel() as channel:
            return queue_state_on(channel, queue)
    except NotFound:
        return None


def queue_states(broker: Connection, names: Iterable[str]) -> dict[str, QueueState | None]:
    """The same of several queues by name, over one channel for as long as none is missing."""
    states: dict[str, QueueState | None] = {}
    left = deque(names)
    while left:
        with suppress(NotFound), broker.channel() as channel:
            while left:
                name = left.popleft()
                states[name] = None
                states[name] = queue_state_on(channel, name)
    return states


def queue_state_on(channel: Any, queue: str) -> QueueState:
    """The same over a channel that is there.

    Raises:
        amqp.NotFound: it is not declared; RabbitMQ has closed the channel.
        OSError, amqp.AMQPError: RabbitMQ did not answer.
    """
    declared = channel.queue_declare(queue, passive=True)
    return QueueState(declared.message_count, declared.consumer_count)


def is_declared(broker: Connection, entity: Exchange | Queue) -> bool:
    """Whether it is there, with whatever arguments; raises what `queue_state` does."""
    if isinstance(entity, Queue):
        return queue_state(broker, entity.name) is not None
    try:
        with broker.channel() as channel:
            entity(channel).declare(passive=True)
    except NotFound:
        return False
    return True


def depths(broker: Connection) -> dict[str, int]:
    """Messages that are ready, by the name of each declared queue; raises what `queue_state` does.

    A queue that is not there has none.
    """
    states = queue_states(broker, (queue.name for queue in queues()))
    return {name: state.messages if state else 0 for name, state in states.items()}


def depth(broker: Connection, queue: str) -> int:
    """Messages that are ready in one queue; raises what `queue_state` does."""
    state = queue_state(broker, queue)
    return state.messages if state else 0
