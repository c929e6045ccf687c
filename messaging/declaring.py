"""Declares what a process needs when it connects, and waits while another one changes it.

A queue's arguments can never be changed, so a process of one release may meet queues of another:
it works on with them, and says what moves them. While `manage.py topology apply` does that, a
queue is gone for a moment; a process that declared it now would get in the way.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial
from typing import Any

from amqp import AccessRefused, PreconditionFailed
from kombu import Connection, Exchange, Queue

from messaging import topology
from messaging.queue_state import is_declared, queue_state
from runtime.stopping import StopRequest
from runtime.waiting import wait_for

logger = logging.getLogger(__name__)


def declare_or_wait(connection: Connection, consumed: Iterable[str], stop: StopRequest) -> None:
    """Declare what is missing; while a change is under way, wait for the queues `consumed`.

    Raises:
        OSError, amqp.AMQPError: RabbitMQ did not answer.
    """
    if is_changing(connection):
        check = partial(_missing, connection, tuple(consumed))
        wait_for("`topology apply`, which is changing the queues", check, stop)
    else:
        for found in declare_missing(connection):
            logger.warning(
                "%s. It is used as it is; to change it: python manage.py topology plan",
                found,
            )


def declare_missing(connection: Connection) -> list[str]:
    """Declare every exchange, queue and binding; return what is there but differs, in words.

    A user that may not declare goes on with what is there.

    Raises:
        amqp.AccessRefused: something is missing, and the user may not declare it.
        OSError, amqp.AMQPError: RabbitMQ did not answer.
    """
    try:
        topology.declare(connection)
    except AccessRefused:
        if not _all_are_declared(connection):
            raise
    except PreconditionFailed:
        entities: list[Exchange | Queue] = [*topology.exchanges(), *topology.queues()]
        differences = [difference(connection, each) for each in entities]
        with connection.channel() as channel:
            topology.bind(channel)
        return [each for each in differences if each]
    return []


def is_changing(connection: Connection) -> bool:
    """Whether `topology apply` is running, or was interrupted."""
    return is_declared(connection, topology.change_marker)


def _all_are_declared(connection: Connection) -> bool:
    """Whether all exchanges and queues are there, whatever their arguments: any client may ask."""
    entities: list[Exchange | Queue] = [*topology.exchanges(), *topology.queues()]
    return all(is_declared(connection, each) for each in entities)


def difference(connection: Connection, entity: Exchange | Queue) -> str:
    """Declare it alone; RabbitMQ's words where it is there and differs."""
    try:
        with connection.channel() as channel:
            bound: Any = entity(channel)
            bound.queue_declare() if isinstance(entity, Queue) else bound.declare()
    except PreconditionFailed as error:
        return str(error.reply_text).removeprefix("PRECONDITION_FAILED - ")
    return ""


def _missing(connection: Connection, consumed: tuple[str, ...]) -> str:
    for name in consumed:
        if queue_state(connection, name) is None:
            return f"the queue {name} is not back yet."
    return ""
