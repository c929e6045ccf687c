"""A message that waits in a retry queue is handed to its service before it is due.

RabbitMQ hands a queue's messages out from its head alone, so those before the wanted one are taken
with it. All of them stay unacked: while that lasts none is due, and when the channel is closed, or
lost, RabbitMQ puts them back where they were, in their sequence. The wanted one is rejected, which
makes RabbitMQ move it as it does when it is due: at no moment is it in two places, or in none.
https://www.rabbitmq.com/docs/dlx
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from amqp import NotFound
from django.conf import settings
from kombu import Connection

from messaging.queue_state import queue_state_on
from runtime.connecting import bounded_connection, connect

#: Of those before it in its queue; more take longer than the others may be held up.
MOST_MESSAGES = 1_000
MOST_SECONDS = 5.0
#: RabbitMQ sends nothing for so long: it has no more.
QUIET_SECONDS = 0.5
#: What one call has held is back within so long after it.
BACK_SECONDS = 0.5


class NotWaiting(Exception):
    """The message is not in its retry queue: it is due, or was moved already."""


class TooFarBack(Exception):
    """More messages than `MOST_MESSAGES` wait before it, or they take longer than allowed."""


def hand_over(queue: str, message_id: str, first: Callable[[], object]) -> None:
    """Let a message that waits in a retry queue go to its service now.

    Args:
        first: what has to be stored before; the message is held meanwhile, so it is neither due
            nor anybody else's. If it raises, the message waits on.

    Raises:
        NotWaiting, TooFarBack: nothing was done.
        OSError, amqp.AMQPError, kombu.exceptions.OperationalError: RabbitMQ did not answer.
        Exception: what `first` raises.
    """
    try:
        _hand_over(queue, message_id, first)
    except NotWaiting:
        # Another call may have held it, so that it is on its way back.
        time.sleep(BACK_SECONDS)
        _hand_over(queue, message_id, first)


def _hand_over(queue: str, message_id: str, first: Callable[[], object]) -> None:
    connection = bounded_connection(settings.AMQP_URL, settings.CONFIRM_TIMEOUT_SECONDS)
    with closing(connect(connection)) as broker, broker.channel() as channel:
        tag = _find(broker, channel, queue, message_id)
        first()
        channel.basic_reject(tag, requeue=False)


def _find(broker: Connection, channel: Any, queue: str, message_id: str) -> int:
    """The delivery tag of the message, which is unacked from now on."""
    taken: list[Any] = []
    try:
        ready = queue_state_on(channel, queue).messages
    except NotFound as error:
        raise NotWaiting from error
    channel.auto_decode = False
    channel.basic_qos(0, MOST_MESSAGES, False)
    channel.basic_consume(queue, callback=taken.append)
    deadline = time.monotonic() + MOST_SECONDS
    seen = 0
    while seen < min(ready, MOST_MESSAGES):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TooFarBack
        try:
            broker.drain_events(timeout=min(left, QUIET_SECONDS))
        except TimeoutError:
            break
        for message in taken[seen:]:
            if message.properties.get("message_id") == message_id:
                tag: int = message.delivery_tag
                return tag
        seen = len(taken)
    raise TooFarBack if seen >= MOST_MESSAGES else NotWaiting
